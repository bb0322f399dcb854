#include "memory/recall.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/wall_clock.h"
#include "memory/indexer.h"
#include "memory/lexical.h"
#include "memory/lexical_search.h"
#include "memory/passages.h"
#include "memory/query.h"
#include "memory/rank.h"
#include "memory/recall_scope.h"
#include "text/sentence_scanner.h"
#include "text/words.h"

namespace anabranch {
namespace {

constexpr size_t kRescored = 200;  // of those that hold a question's rarest words
// A question this close to one of the turn's asks the same.
constexpr float kSameQuestion = 0.8f;
constexpr size_t kAskings = 16;  // that are looked at first
constexpr size_t kRejectedShown = 3;

// One recall, step by step.
class Recaller {
 public:
  Recaller(const UnitView& view, DenseIndex& dense, const std::string& stream,
           const EmbedderHandle& embedder, const NullEmbeddings& null, const RecallQuery& query)
      : view_(view),
        dense_(dense),
        stream_(stream),
        embedder_(embedder),
        null_(null),
        query_(query),
        policy_(query.policy == nullptr ? RecallPolicy() : *query.policy),
        n_candidates_(static_cast<size_t>(policy_.rank.candidates)),
        scope_(query) {}

  Result<RecallResult> Run(std::span<const float> null_scores) {
    RecallResult result;
    queries_ = BuildQueries(query_.turn_text, query_.previous_user_turn, embedder_.count_pieces,
                            policy_.query);
    for (const Query& query : queries_) result.queries.push_back(query.text);
    result.threshold =
        query_.threshold ? *query_.threshold : CalibratedThreshold(null_scores, policy_.decision);
    result.decision = RecallDecision::kNone;
    if (queries_.empty() || view_.size() == 0) return result;
    RETURN_IF_ERROR(Embed());
    if (!queries_.empty()) RETURN_IF_ERROR(CollectCandidates());
    if (candidates_.empty()) {
      if (queries_.empty()) result.decision = RecallDecision::kBelowThreshold;
      return result;
    }
    std::vector<float> weights;
    for (const Query& query : queries_) weights.push_back(query.weight);
    std::vector<Hit> hits = Rank(candidates_, weights, policy_.rank);
    DropDuplicates(&hits);

    // A threshold that the user names is one on the cosine; ours allows for words and role.
    const auto value = [&](const Hit& hit) { return query_.threshold ? hit.cosine : hit.score; };
    result.best_score = -1;
    for (const Hit& hit : hits) result.best_score = std::max(result.best_score, value(hit));
    if (!policy_.decision.always) {
      if (result.best_score < result.threshold) {
        result.decision = RecallDecision::kBelowThreshold;
        hits.resize(std::min(hits.size(), kRejectedShown));
        ASSIGN_OR_RETURN(result.rejected, Passages(hits));
        return result;
      }
      const float least = result.threshold - (query_.threshold ? 0 : policy_.decision.slack);
      std::erase_if(hits, [&](const Hit& hit) { return value(hit) < least; });
    }
    ASSIGN_OR_RETURN(result.passages, Passages(hits));
    result.decision = result.passages.empty() ? RecallDecision::kNone : RecallDecision::kUsed;
    return result;
  }

 private:
  // Embeds the queries, and drops those that are small talk (and with all of them what leans on
  // them).
  Result<void> Embed() {
    ASSIGN_OR_RETURN(const std::vector<float> vectors, EmbedAll(embedder_, QueryTexts()));
    const auto width = static_cast<size_t>(embedder_.width);
    std::vector<Query> asked;
    for (size_t q = 0; q < queries_.size(); ++q) {
      const auto vector = std::span<const float>(vectors).subspan(q * width, width);
      if (AsksNothing(vector) || (queries_[q].leans && asked.empty())) continue;
      vectors_.insert(vectors_.end(), vector.begin(), vector.end());
      asked.push_back(queries_[q]);
    }
    queries_ = std::move(asked);
    return {};
  }

  bool AsksNothing(std::span<const float> query) const {
    return !policy_.decision.always && !query_.threshold &&
           IsSmallTalk(null_.LikenessOf(query), policy_.decision);
  }

  bool MayAnswer(int64_t unit) const {
    return !view_.row(unit).question && scope_.Allows(view_.row(unit).span);
  }

  Result<void> CollectCandidates() {
    ASSIGN_OR_RETURN(const LexicalSearch lexical, LexicalSearch::Create(view_, QueryTexts()));
    std::set<int64_t> found;
    RETURN_IF_ERROR(AddLexical(lexical, &found));
    RETURN_IF_ERROR(AddNearest(&found));
    ASSIGN_OR_RETURN(const auto scores, Scores(lexical, found));
    ASSIGN_OR_RETURN(const std::set<int64_t> answered, TurnsThatAnsweredThis());
    std::set<std::string> asked_words;
    for (const Query& query : queries_) {
      for (const std::string& word : LexicalWords(query.text)) asked_words.insert(word);
    }
    for (const int64_t unit : found) {
      const UnitRow& row = view_.row(unit);
      ASSIGN_OR_RETURN(const Wording* wording, WordingOf(unit));
      // What only says the question's own words tells nothing: an earlier asking, most likely.
      const bool echo =
          std::all_of(wording->words.begin(), wording->words.end(), [&](const std::string& word) {
            return asked_words.contains(word) || IsCommonWord(word);
          });
      Candidate candidate;
      candidate.unit = unit;
      candidate.scores = scores.at(unit);
      for (const int64_t neighbour : Neighbours(unit)) {
        candidate.neighbours.push_back(scores.at(neighbour));
      }
      candidate.role = row.role;
      candidate.repeats = echo || (row.role == Role::kAssistant && answered.contains(row.turn));
      candidates_.push_back(std::move(candidate));
    }
    return {};
  }

  // The units beside one in its run that may answer, where they count.
  std::vector<int64_t> Neighbours(int64_t unit) const {
    std::vector<int64_t> neighbours;
    if (policy_.rank.neighbour_share == 0) return neighbours;
    const auto add = [&](int64_t beside) {
      if (beside < 0 || beside >= view_.size() || !MayAnswer(beside)) return;
      if (!SameRun(view_.row(std::min(unit, beside)), view_.row(std::max(unit, beside)))) return;
      neighbours.push_back(beside);
    };
    add(unit - 1);
    add(unit + 1);
    return neighbours;
  }

  // What units and their neighbours have to do with each query.
  Result<std::map<int64_t, std::vector<UnitScore>>> Scores(const LexicalSearch& lexical,
                                                           const std::set<int64_t>& found) {
    std::set<int64_t> all = found;
    for (const int64_t unit : found) {
      for (const int64_t neighbour : Neighbours(unit)) all.insert(neighbour);
    }
    const std::vector<int64_t> units(all.begin(), all.end());
    ASSIGN_OR_RETURN(const std::vector<float> cosines, dense_.Cosines(units, vectors_));
    const float* cosine = cosines.data();
    std::map<int64_t, std::vector<UnitScore>> scores;
    for (const int64_t unit : units) {
      ASSIGN_OR_RETURN(const Wording* wording, WordingOf(unit));
      for (const float share : lexical.SharesOf(wording->words)) {
        scores[unit].push_back({*cosine++, share});
      }
    }
    return scores;
  }

  std::vector<std::string_view> QueryTexts() const {
    std::vector<std::string_view> texts;
    for (const Query& query : queries_) texts.push_back(query.text);
    return texts;
  }

  // Text of a unit, and its words, sorted.
  struct Wording {
    std::string text;
    std::vector<std::string> words;
  };
  Result<const Wording*> WordingOf(int64_t unit) {
    const auto known = wordings_.find(unit);
    if (known != wordings_.end()) return &known->second;
    const UnitRow& row = view_.row(unit);
    ASSIGN_OR_RETURN(std::string text, view_.Text(row.text_begin, row.text_end));
    std::vector<std::string> words = LexicalWords(text);
    return &wordings_.emplace(unit, Wording{std::move(text), std::move(words)}).first->second;
  }

  // The units that hold the largest share of a question's words. They are found by its rarest
  // words, and scored with all of them.
  Result<void> AddLexical(const LexicalSearch& lexical, std::set<int64_t>* units) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> found,
                     lexical.Find(kRescored, [this](int64_t unit) { return MayAnswer(unit); }));
    std::vector<std::pair<float, int64_t>> order;
    for (const int64_t unit : found) {
      ASSIGN_OR_RETURN(const Wording* wording, WordingOf(unit));
      const std::vector<float> shares = lexical.SharesOf(wording->words);
      order.emplace_back(-*std::max_element(shares.begin(), shares.end()), unit);
    }
    std::sort(order.begin(), order.end());
    order.resize(std::min(order.size(), n_candidates_));
    for (const auto& [share, unit] : order) units->insert(unit);
    return {};
  }

  // Of each query the nearest units that may answer. The index knows little of what may answer, so
  // it is asked for more until enough are left.
  Result<void> AddNearest(std::set<int64_t>* units) {
    const UnitFilter filter = {false, EndOfScope()};
    bool enough = false;
    for (size_t k = n_candidates_; !enough; k *= 2) {
      ASSIGN_OR_RETURN(auto nearest, dense_.Nearest(vectors_, k, filter));
      enough = true;
      for (std::vector<DenseHit>& hits : nearest) {
        const bool all = hits.size() < k;
        std::erase_if(hits, [&](const DenseHit& hit) { return !MayAnswer(hit.unit); });
        enough = enough && (all || hits.size() >= n_candidates_);
        hits.resize(std::min(hits.size(), n_candidates_));
      }
      if (!enough) continue;
      for (const std::vector<DenseHit>& hits : nearest) {
        for (const DenseHit& hit : hits) units->insert(hit.unit);
      }
    }
    return {};
  }

  // The last unit in stream order that may be handed over ends here.
  StreamPos EndOfScope() const {
    int64_t first = 0, n = view_.size();
    while (n > 0) {
      const int64_t half = n / 2;
      if (scope_.IsBeyond(view_.row(first + half).span)) {
        n = half;
      } else {
        first += half + 1;
        n -= half + 1;
      }
    }
    return first == 0 ? StreamPos(0) : view_.row(first - 1).span.end;
  }

  // Turns that came right after an earlier asking of one of the questions.
  Result<std::set<int64_t>> TurnsThatAnsweredThis() {
    constexpr StreamPos kAnywhere(std::numeric_limits<int64_t>::max());
    std::set<int64_t> turns;
    bool all = false;
    for (size_t k = kAskings; !all; k *= 4) {
      ASSIGN_OR_RETURN(const auto nearest, dense_.Nearest(vectors_, k, {true, kAnywhere}));
      all = true;
      for (const std::vector<DenseHit>& hits : nearest) {
        all = all && (hits.size() < k || hits.back().cosine < kSameQuestion);
        for (const DenseHit& hit : hits) {
          const UnitRow& row = view_.row(hit.unit);
          if (hit.cosine < kSameQuestion) break;
          if (row.role == Role::kUser && !row.span.Overlaps(query_.exclude)) {
            turns.insert(row.turn + 1);
          }
        }
      }
    }
    return turns;
  }

  // Of hits with the same text the best stays; the others come along with no passage either.
  void DropDuplicates(std::vector<Hit>* hits) {
    std::set<std::string_view> seen;
    std::erase_if(*hits, [&](const Hit& hit) {
      if (seen.insert(wordings_.at(hit.unit).text).second) return false;
      duplicates_.insert(hit.unit);
      return true;
    });
  }

  Result<std::vector<Passage>> Passages(std::span<const Hit> hits) {
    const PassageUnits units = {
        view_.size(), [this](int64_t unit) -> const UnitRow& { return view_.row(unit); },
        [this](int64_t unit) {
          return scope_.Allows(view_.row(unit).span) && !duplicates_.contains(unit);
        },
        [this](int64_t unit) {
          const Result<const Wording*> wording = WordingOf(unit);
          return wording && !EndsSentence((*wording)->text);
        }};
    std::vector<Passage> passages;
    for (const PassagePlan& plan : PlanPassages(
             hits, units,
             {query_.chunk_size, query_.recall_tokens, policy_.neighbours, policy_.unfinished})) {
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
      ASSIGN_OR_RETURN(passage.source, view_.Source(main));
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
  DenseIndex& dense_;
  const std::string& stream_;
  const EmbedderHandle& embedder_;
  const NullEmbeddings& null_;
  const RecallQuery& query_;
  const RecallPolicy policy_;
  const size_t n_candidates_;  // of each ranking
  const RecallScope scope_;
  std::vector<Query> queries_;
  std::vector<float> vectors_;  // of the queries
  std::vector<Candidate> candidates_;
  std::map<int64_t, Wording> wordings_;
  std::set<int64_t> duplicates_;
};

}  // namespace

Result<RecallResult> RecallFrom(const UnitView& view, DenseIndex& dense, const std::string& stream,
                                const EmbedderHandle& embedder, const NullEmbeddings& null,
                                std::span<const float> null_scores, const RecallQuery& query) {
  if (query.mode == RecallMode::kNever) return RecallResult{};
  const Stopwatch watch;
  ASSIGN_OR_RETURN(RecallResult result,
                   Recaller(view, dense, stream, embedder, null, query).Run(null_scores));
  result.ms = watch.Ms();
  return result;
}

}  // namespace anabranch
