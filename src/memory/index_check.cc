#include "memory/index_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "memory/journal_store.h"
#include "memory/unit_store.h"
#include "memory/vector_code.h"
#include "text/words.h"

namespace anabranch {
namespace {

Result<void> CheckCodes(Database* db, int64_t stream, std::vector<std::string>* faults) {
  ASSIGN_OR_RETURN(Statement select,
                   db->Prepare("SELECT text_begin, vector.data, code.data FROM unit "
                               "JOIN vector ON vector.unit = key LEFT JOIN code ON code.unit = key "
                               "WHERE stream = ?1"));
  select.Bind(1, stream);
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return {};
    const std::vector<std::byte> want = EncodeVector(Floats(select.Blob(1)));
    const std::span<const std::byte> code = select.Blob(2);
    if (!std::equal(want.begin(), want.end(), code.begin(), code.end())) {
      faults->push_back(
          fmt::format("the unit at text {} has a code that is not its vector's", select.Int(0)));
    }
  }
}

Result<void> CheckCounts(Database* db, int64_t stream, std::vector<std::string>* faults) {
  std::map<std::string, int64_t> counts;
  ASSIGN_OR_RETURN(Statement units,
                   db->Prepare("SELECT text_begin, text_end FROM unit WHERE stream = ?1 AND "
                               "text_begin < (SELECT counted_text FROM stream WHERE id = ?1)"));
  units.Bind(1, stream);
  const JournalStore journal(db, stream);
  while (true) {
    ASSIGN_OR_RETURN(const bool row, units.Step());
    if (!row) break;
    ASSIGN_OR_RETURN(const std::string text, journal.Text(units.Int(0), units.Int(1)));
    for (const std::string& word : LexicalWords(text)) ++counts[word];
  }
  ASSIGN_OR_RETURN(Statement stored, db->Prepare("SELECT term, df FROM term_df WHERE stream = ?1"));
  stored.Bind(1, stream);
  while (true) {
    ASSIGN_OR_RETURN(const bool row, stored.Step());
    if (!row) break;
    counts[std::string(stored.Text(0))] -= stored.Int(1);
  }
  for (const auto& [word, difference] : counts) {
    if (difference == 0) continue;
    faults->push_back(
        fmt::format("'{}' is in {} more units than its count says", word, difference));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> IndexFaults(Database* db, int64_t stream) {
  std::vector<std::string> faults;
  RETURN_IF_ERROR(CheckCodes(db, stream, &faults));
  RETURN_IF_ERROR(CheckCounts(db, stream, &faults));
  return faults;
}

}  // namespace anabranch
