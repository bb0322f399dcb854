#include "memory/query.h"

#include <algorithm>
#include <array>

#include "text/words.h"

namespace anabranch {
namespace {

// No text of `pieces` pieces that anybody writes is longer: no need to count a longer one.
size_t MaxBytes(int pieces) { return static_cast<size_t>(pieces) * 16; }

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::vector<std::string_view> Sentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  for (const ByteSpan span : CutSentences(text)) {
    const std::string_view sentence = Trim(
        text.substr(static_cast<size_t>(span.begin), static_cast<size_t>(span.end - span.begin)));
    if (!sentence.empty()) sentences.push_back(sentence);
  }
  return sentences;
}

// The end of a text, in whole sentences, of at most `max_pieces`; at least its last unit.
std::string_view End(std::string_view text, int max_pieces, const CountPieces& count) {
  const std::vector<std::string_view> sentences = Sentences(text);
  if (sentences.empty()) return {};
  const char* const end = sentences.back().data() + sentences.back().size();
  std::string_view best;
  for (size_t i = sentences.size(); i-- > 0;) {
    const std::string_view tail(sentences[i].data(),
                                static_cast<size_t>(end - sentences[i].data()));
    if (count(tail) > max_pieces) break;
    best = tail;
  }
  if (!best.empty()) return best;
  const std::string_view last = sentences.back();
  const std::vector<ByteSpan> units =
      CutUnits(last, {.min_pieces = 1, .max_pieces = max_pieces}, count);
  return units.empty() ? last : last.substr(static_cast<size_t>(units.back().begin));
}

bool HasPronoun(std::string_view question) {
  constexpr std::array<std::string_view, 17> kPronouns = {
      "he",   "her",   "hers", "him",   "his",   "it",   "its",  "one",  "she",
      "that", "their", "them", "there", "these", "they", "this", "those"};
  const std::vector<std::string> words = LexicalWords(question);
  return std::any_of(kPronouns.begin(), kPronouns.end(), [&](std::string_view pronoun) {
    return std::binary_search(words.begin(), words.end(), pronoun);
  });
}

bool Leans(std::string_view question, std::string_view previous_turn, const CountPieces& count,
           const QueryPolicy& policy) {
  if (!policy.previous) return false;
  if (HasPronoun(question)) return true;
  if (count(question) >= policy.short_pieces) return false;
  return policy.long_turns || (previous_turn.size() <= MaxBytes(policy.previous_pieces) &&
                               count(previous_turn) <= policy.previous_pieces);
}

}  // namespace

std::vector<Query> BuildQueries(std::string_view turn, std::string_view previous_user_turn,
                                const CountPieces& count, const QueryPolicy& policy) {
  const std::vector<std::string_view> sentences = Sentences(turn);
  if (sentences.empty()) return {};
  if (policy.whole_turn) return {{std::string(turn), 1, false}};
  std::vector<Query> queries;
  int left = policy.max_pieces;
  const auto add = [&](std::string_view text, float weight) {
    const auto same = [&](const Query& query) { return query.text == text; };
    if (text.empty() || std::any_of(queries.begin(), queries.end(), same)) return;
    const int pieces = count(text);
    if (!queries.empty() && pieces > left) return;
    left -= pieces;
    queries.push_back({std::string(text), weight, false});
  };

  const std::string_view last = End(sentences.back(), policy.max_pieces, count);
  std::vector<std::string_view> questions;
  for (size_t i = sentences.size(); i-- > 0;) {
    if (IsQuestionOnly(sentences[i])) questions.push_back(sentences[i]);
  }
  add(last, questions.empty() || IsQuestionOnly(last) ? 1.0f : policy.aside_weight);
  if (policy.other_questions) {
    for (const std::string_view question : questions) add(question, 1);
  }
  if (questions.empty()) add(End(turn, policy.max_pieces, count), 1);

  if (questions.empty()) return queries;
  std::string_view previous = previous_user_turn;
  if (policy.last_sentence) {
    const std::vector<std::string_view> said = Sentences(previous_user_turn);
    previous = said.empty() ? std::string_view() : said.back();
  }
  previous = End(previous, policy.previous_pieces, count);
  if (!previous.empty() && Leans(questions.front(), previous_user_turn, count, policy)) {
    const std::string_view question = questions.front();
    for (Query& query : queries) {
      if (query.text == question && !NamesSomething(question)) query.weight = policy.unnamed_weight;
    }
    queries.push_back({std::string(previous) + " " + std::string(question), 1, true});
  }
  return queries;
}

}  // namespace anabranch
