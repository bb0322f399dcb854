#include "memory/recall.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "memory/indexer.h"
#include "memory/lexical.h"
#include "memory/passages.h"
#include "memory/query.h"
#include "memory/rank.h"
#include "text/words.h"

namespace anabranch {
namespace {

constexpr size_t kCandidates = 64;  // per query
// A question this close to one of the turn's asks the same.
constexpr float kSameQuestion = 0.8f;
// Below the threshold that one hit must pass, the others may still be what was meant.
constexpr float kSlack = 0.1f;
constexpr size_t kRejectedShown = 3;

// One recall, step by step.
class Recaller {
 public:
  Recaller(const UnitView& view, const std::string& stream, const EmbedderHandle& embedder,
           const NullEmbeddings& null, const RecallQuery& query)
      : view_(view), stream_(stream), embedder_(embedder), null_(null), query_(query) {}

  Result<RecallResult> Run(std::span<const float> null_scores) {
    RecallResult result;
    queries_ = BuildQueries(query_.turn_text, query_.previous_user_turn, embedder_.count_pieces);
    for (const Query& query : queries_) result.queries.push_back(query.text);
    result.threshold = query_.threshold ? *query_.threshold : CalibratedThreshold(null_scores);
    result.decision = RecallDecision::kNone;
    if (queries_.empty() || view_.size() == 0) return result;
    RETURN_IF_ERROR(Score());
    RETURN_IF_ERROR(CollectCandidates());
    if (candidates_.empty()) {
      if (queries_.empty()) result.decision = RecallDecision::kBelowThreshold;
      return result;
    }
    std::vector<float> weights;
    for (const Query& query : queries_) weights.push_back(query.weight);
    std::vector<Hit> hits = Rank(candidates_, weights);
    DropDuplicates(&hits);

    // A threshold that the user names is one on the cosine; ours allows for words and role.
    const auto value = [&](const Hit& hit) { return query_.threshold ? hit.cosine : hit.score; };
    result.best_score = -1;
    for (const Hit& hit : hits) result.best_score = std::max(result.best_score, value(hit));
    if (result.best_score < result.threshold) {
      result.decision = RecallDecision::kBelowThreshold;
      hits.resize(std::min(hits.size(), kRejectedShown));
      ASSIGN_OR_RETURN(result.rejected, Passages(hits));
      return result;
    }
    const float least = result.threshold - (query_.threshold ? 0 : kSlack);
    std::erase_if(hits, [&](const Hit& hit) { return value(hit) < least; });
    ASSIGN_OR_RETURN(result.passages, Passages(hits));
    result.decision = result.passages.empty() ? RecallDecision::kNone : RecallDecision::kUsed;
    return result;
  }

 private:
  // Embeds the queries, drops those that are small talk (and with all of them what leans on them),
  // and scores all units with the others.
  Result<void> Score() {
    std::vector<std::string_view> texts;
    for (const Query& query : queries_) texts.push_back(query.text);
    ASSIGN_OR_RETURN(const std::vector<float> vectors, EmbedAll(embedder_, texts));
    const auto width = static_cast<size_t>(embedder_.width);
    std::vector<Query> asked;
    for (size_t q = 0; q < queries_.size(); ++q) {
      const auto vector = std::span<const float>(vectors).subspan(q * width, width);
      if (null_.IsSmallTalk(vector) || (queries_[q].leans && asked.empty())) continue;
      scores_.push_back(view_.Scores(embedder_.scan, vector));
      asked.push_back(queries_[q]);
    }
    queries_ = std::move(asked);
    return {};
  }

  bool MayBeHandedOver(int64_t unit) const {
    const StreamSpan span = view_.row(unit).span;
    if (span.Overlaps(query_.exclude)) return false;
    if (query_.mode != RecallMode::kEvicted) return true;
    return span.begin < query_.pinned.begin ||
           std::max(span.begin, query_.pinned.end) < std::min(span.end, query_.window_begin);
  }
  bool MayAnswer(int64_t unit) const { return !view_.row(unit).question && MayBeHandedOver(unit); }

  Result<void> CollectCandidates() {
    ASSIGN_OR_RETURN(const auto shares, LexicalShares());
    std::set<int64_t> units;
    for (const std::vector<float>& scores : scores_) AddBest(scores, &units);
    std::vector<std::pair<float, int64_t>> lexical;
    for (const auto& [unit, share] : shares) {
      if (MayAnswer(unit)) lexical.emplace_back(-share, unit);
    }
    const size_t n = std::min(kCandidates, lexical.size());
    std::partial_sort(lexical.begin(), lexical.begin() + static_cast<ptrdiff_t>(n), lexical.end());
    for (size_t i = 0; i < n; ++i) units.insert(lexical[i].second);

    const std::set<int64_t> answered = TurnsThatAnsweredThis();
    std::set<std::string> asked_words;
    for (const Query& query : queries_) {
      for (const std::string& word : LexicalWords(query.text)) asked_words.insert(word);
    }
    for (const int64_t unit : units) {
      const UnitRow& row = view_.row(unit);
      ASSIGN_OR_RETURN(std::string text, view_.Text(row.text_begin, row.text_end));
      const std::vector<std::string> words = ContentWords(text);
      // What only says the question's own words tells nothing: an earlier asking, most likely.
      const bool echo = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
        return asked_words.contains(word);
      });
      Candidate candidate;
      candidate.unit = unit;
      for (const auto& scores : scores_) {
        candidate.cosines.push_back(scores[static_cast<size_t>(unit)]);
      }
      const auto share = shares.find(unit);
      candidate.lexical = share == shares.end() ? 0 : share->second;
      candidate.role = row.role;
      candidate.repeats = echo || (row.role == Role::kAssistant && answered.contains(row.turn));
      candidates_.push_back(std::move(candidate));
      texts_[unit] = std::move(text);
    }
    return {};
  }

  void AddBest(const std::vector<float>& scores, std::set<int64_t>* units) const {
    std::vector<std::pair<float, int64_t>> best;  // a heap with the worst of the best on top
    for (int64_t unit = 0; unit < view_.size(); ++unit) {
      const std::pair<float, int64_t> entry(-scores[static_cast<size_t>(unit)], unit);
      if (best.size() == kCandidates && !(entry < best.front())) continue;
      if (!MayAnswer(unit)) continue;
      best.push_back(entry);
      std::push_heap(best.begin(), best.end());
      if (best.size() > kCandidates) {
        std::pop_heap(best.begin(), best.end());
        best.pop_back();
      }
    }
    for (const auto& entry : best) units->insert(entry.second);
  }

  // Of each unit that holds a rare word of a question: its best share of a question's rarity.
  Result<std::map<int64_t, float>> LexicalShares() const {
    std::map<int64_t, float> best;
    for (const Query& query : queries_) {
      std::map<int64_t, double> held;
      double all = 0;
      for (const std::string& word : ContentWords(query.text)) {
        ASSIGN_OR_RETURN(const std::vector<int64_t> units, view_.Holding(word));
        const double rarity = Rarity(view_.size(), static_cast<int64_t>(units.size()));
        all += rarity;
        for (const int64_t unit : units) held[unit] += rarity;
      }
      for (const auto& [unit, sum] : held) {
        float& share = best[unit];
        share = std::max(share, static_cast<float>(sum / all));
      }
    }
    return best;
  }

  // Turns that came right after an earlier asking of one of the questions.
  std::set<int64_t> TurnsThatAnsweredThis() const {
    std::set<int64_t> turns;
    for (int64_t unit = 0; unit < view_.size(); ++unit) {
      const UnitRow& row = view_.row(unit);
      if (!row.question || row.role != Role::kUser || row.span.Overlaps(query_.exclude)) continue;
      for (const std::vector<float>& scores : scores_) {
        if (scores[static_cast<size_t>(unit)] >= kSameQuestion) turns.insert(row.turn + 1);
      }
    }
    return turns;
  }

  // Of hits with the same text the best stays; the others come along with no passage either.
  void DropDuplicates(std::vector<Hit>* hits) {
    std::set<std::string_view> seen;
    std::erase_if(*hits, [&](const Hit& hit) {
      if (seen.insert(texts_.at(hit.unit)).second) return false;
      duplicates_.insert(hit.unit);
      return true;
    });
  }

  Result<std::vector<Passage>> Passages(std::span<const Hit> hits) const {
    const PassageUnits units = {
        view_.size(), [this](int64_t unit) -> const UnitRow& { return view_.row(unit); },
        [this](int64_t unit) { return MayBeHandedOver(unit) && !duplicates_.contains(unit); }};
    std::vector<Passage> passages;
    for (const PassagePlan& plan :
         PlanPassages(hits, units, {query_.chunk_size, query_.recall_tokens})) {
      const UnitRow& first = view_.row(plan.first);
      const UnitRow& last = view_.row(plan.last);
      const UnitRow& main = view_.row(plan.hit.unit);
      Passage passage;
      passage.stream = stream_;
      passage.span = plan.span;
      passage.turn = main.turn;
      passage.role = main.role;
      passage.time_ms = main.time_ms;
      passage.score = plan.hit.cosine;
      passage.lexical = plan.hit.lexical;
      if (plan.span.end < last.span.end) {
        ASSIGN_OR_RETURN(passage.text, view_.TextBefore(first, plan.span.end));
      } else {
        ASSIGN_OR_RETURN(passage.text, view_.Text(first.text_begin, last.text_end));
      }
      passages.push_back(std::move(passage));
    }
    return passages;
  }

  const UnitView& view_;
  const std::string& stream_;
  const EmbedderHandle& embedder_;
  const NullEmbeddings& null_;
  const RecallQuery& query_;
  std::vector<Query> queries_;
  std::vector<std::vector<float>> scores_;  // of each query: of all units
  std::vector<Candidate> candidates_;
  std::map<int64_t, std::string> texts_;  // of the candidates
  std::set<int64_t> duplicates_;
};

}  // namespace

Result<RecallResult> RecallFrom(const UnitView& view, const std::string& stream,
                                const EmbedderHandle& embedder, const NullEmbeddings& null,
                                std::span<const float> null_scores, const RecallQuery& query) {
  if (query.mode == RecallMode::kNever) return RecallResult{};
  const auto start = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(RecallResult result,
                   Recaller(view, stream, embedder, null, query).Run(null_scores));
  result.ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace anabranch
