#include "cli/eval_cases.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/json_output.h"

namespace anabranch::cli {
namespace {

OrderedJson CaseJson(const RecallCase& ran) {
  return {{"type", "case"},
          {"conversation", ran.conversation},
          {"arm", ran.arm},
          {"budget", ran.budget},
          {"id", ran.id},
          {"kind", ran.kind},
          {"traits", ran.traits},
          {"recalled", ran.recalled},
          {"passages", ran.passages},
          {"tokens", ran.tokens},
          {"held", ran.held},
          {"in_order", ran.in_order},
          {"score", ran.score},
          {"cosine", ran.cosine},
          {"words", ran.words},
          {"threshold", ran.threshold},
          {"ms", ran.ms}};
}

RecallCase CaseOf(const OrderedJson& json) {
  RecallCase ran;
  ran.conversation = json.at("conversation");
  ran.arm = json.at("arm");
  ran.budget = json.at("budget");
  ran.id = json.at("id");
  ran.kind = json.at("kind");
  ran.traits = json.at("traits");
  ran.recalled = json.at("recalled");
  ran.passages = json.at("passages");
  ran.tokens = json.at("tokens");
  ran.held = json.at("held").get<std::vector<bool>>();
  ran.in_order = json.at("in_order");
  ran.score = json.at("score");
  ran.cosine = json.at("cosine");
  ran.words = json.at("words");
  ran.threshold = json.at("threshold");
  ran.ms = json.at("ms");
  return ran;
}

}  // namespace

EvalCases::Key EvalCases::KeyOf(const RecallCase& named) {
  return {named.conversation, named.arm, named.budget, named.id};
}

Result<EvalCases> EvalCases::Open(const std::string& path) {
  EvalCases cases;
  cases.path_ = path;
  if (path.empty()) return cases;
  uintmax_t whole = 0;
  std::ifstream file(path, std::ios::binary);
  for (std::string line; std::getline(file, line) && !file.eof();) {
    whole += line.size() + 1;
    try {
      cases.cases_.push_back(CaseOf(OrderedJson::parse(line)));
    } catch (const OrderedJson::exception& error) {
      return Fail(ErrorKind::kCorrupt, path,
                  std::string("holds a line that is no case: ") + error.what(),
                  "name another file");
    }
    cases.keys_.insert(KeyOf(cases.cases_.back()));
  }
  std::error_code error;
  if (std::filesystem::exists(path, error)) std::filesystem::resize_file(path, whole, error);
  if (error) return Fail(ErrorKind::kIo, path, error.message());
  cases.file_.open(path, std::ios::binary | std::ios::app);
  if (!cases.file_) return Fail(ErrorKind::kIo, path, std::strerror(errno));
  return cases;
}

bool EvalCases::Contains(const RecallCase& named) const { return keys_.contains(KeyOf(named)); }

Result<void> EvalCases::Add(const RecallCase& ran) {
  cases_.push_back(ran);
  keys_.insert(KeyOf(ran));
  if (path_.empty()) return {};
  file_ << JsonLine(CaseJson(ran)) << std::flush;
  if (!file_) return Fail(ErrorKind::kIo, path_, "could not be written");
  return {};
}

}  // namespace anabranch::cli
