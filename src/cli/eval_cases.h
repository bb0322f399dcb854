// The cases of an evaluation in a file, one JSON object a line, so that it can go on where it
// ended.
#pragma once

#include <fstream>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "anabranch/evaluation.h"

namespace anabranch::cli {

class EvalCases {
 public:
  // path "": cases are kept for this run alone. Of a file the whole lines count; a last one that
  // was cut off is dropped. Errors: kIo; kCorrupt: a line that is no case.
  static Result<EvalCases> Open(const std::string& path);

  // True of a case that was run before, by its names and budget.
  bool Contains(const RecallCase& named) const;
  Result<void> Add(const RecallCase& ran);
  const std::vector<RecallCase>& cases() const { return cases_; }

 private:
  using Key = std::tuple<std::string, std::string, int32_t, std::string>;
  static Key KeyOf(const RecallCase& named);

  std::string path_;
  std::ofstream file_;
  std::vector<RecallCase> cases_;
  std::set<Key> keys_;
};

}  // namespace anabranch::cli
