#include "engine/eval_arms.h"

#include <fmt/format.h>

#include <functional>

namespace anabranch {
namespace {

std::vector<EvalArm> MakeArms() {
  std::vector<EvalArm> arms;
  const auto add = [&](const std::string& name, const std::string& what,
                       const std::function<void(EvalArm&)>& change) {
    EvalArm arm{.name = name, .what = what};
    change(arm);
    arms.push_back(arm);
  };
  // All but the first and the decisions' own arms hand over whatever was found: what a choice finds
  // is one thing, whether to hand it over another.
  const auto find = [&](const std::string& name, const std::string& what,
                        const std::function<void(EvalArm&)>& change) {
    add(name, what, [&](EvalArm& arm) {
      arm.policy.decision.always = true;
      change(arm);
    });
  };
  add("default", "what ships", [](EvalArm&) {});
  find("undecided", "what ships, whatever was found is handed over", [](EvalArm&) {});

  for (const int32_t size : {25, 50, 100, 200}) {
    find(fmt::format("seed-{}", size),
         fmt::format("the seed's scheme: hard cuts of {} tokens, the whole turn asks", size),
         [&](EvalArm& arm) { arm.hard_chunk = size; });
  }
  struct Units {
    int min, max;
  };
  for (const Units units :
       {Units{1, 64}, {8, 64}, {16, 64}, {32, 64}, {4, 32}, {4, 128}, {64, 128}}) {
    find(fmt::format("units-{}-{}", units.min, units.max),
         fmt::format("units of {} to {} pieces", units.min, units.max),
         [&](EvalArm& arm) { arm.units = {.min_pieces = units.min, .max_pieces = units.max}; });
  }
  for (const int32_t size : {25, 50, 100, 200}) {
    find(fmt::format("passage-{}", size), fmt::format("passages of {} tokens", size),
         [&](EvalArm& arm) { arm.chunk_size = size; });
  }
  find("no-neighbours", "units are handed over alone",
       [](EvalArm& arm) { arm.policy.neighbours = false; });

  using Words = RankPolicy::Words;
  find("words-none", "cosines alone", [](EvalArm& arm) { arm.policy.rank.words = Words::kNone; });
  find("words-gate", "words lift a unit only if it holds a good part of the rare ones",
       [](EvalArm& arm) { arm.policy.rank.words = Words::kGate; });
  find("words-fusion", "words and cosines fused by rank, with equal weight", [](EvalArm& arm) {
    arm.policy.rank.words = Words::kFusion;
    arm.policy.rank.fusion = RankPolicy::Fusion::kReciprocalRanks;
  });
  find("words-alone", "words alone", [](EvalArm& arm) { arm.policy.rank.words = Words::kAlone; });
  find("queries-by-rank", "the queries' rankings fused by rank, not by margin",
       [](EvalArm& arm) { arm.policy.rank.fusion = RankPolicy::Fusion::kReciprocalRanks; });
  find("no-neighbour-share", "a unit's neighbours add nothing to its score",
       [](EvalArm& arm) { arm.policy.rank.neighbour_share = 0; });

  find("query-whole-turn", "the whole turn asks",
       [](EvalArm& arm) { arm.policy.query.whole_turn = true; });
  find("query-last-sentence", "the last sentence asks, alone", [](EvalArm& arm) {
    arm.policy.query.other_questions = false;
    arm.policy.query.previous = false;
  });
  find("query-no-previous", "no question leans on the turn before",
       [](EvalArm& arm) { arm.policy.query.previous = false; });
  find("query-long-previous", "a short question leans on a long turn before, too",
       [](EvalArm& arm) { arm.policy.query.long_turns = true; });
  find("query-unnamed", "a question that leans and names nothing asks as loudly alone",
       [](EvalArm& arm) { arm.policy.query.unnamed_weight = 1; });
  find("query-previous-end", "a question leans on the last 64 pieces of the turn before",
       [](EvalArm& arm) { arm.policy.query.last_sentence = false; });

  find("roles-equal", "what the model said ranks like what it was told",
       [](EvalArm& arm) { arm.policy.rank.assistant_penalty = 0; });
  find("repeats-allowed", "what repeats the question, or answered it before, ranks like the rest",
       [](EvalArm& arm) { arm.policy.rank.repeat_penalty = 0; });

  for (const int percent : {50, 70, 90, 100}) {
    add(fmt::format("beats-{}", percent),
        fmt::format("the best score beats {} % of the null queries'", percent),
        [&](EvalArm& arm) { arm.policy.decision.quantile = static_cast<double>(percent) / 100; });
  }
  for (const int percent : {0, 5, 15, 20}) {
    add(fmt::format("small-talk-{}", percent),
        fmt::format("small talk is what leads by 0.{:02}", percent), [&](EvalArm& arm) {
          arm.policy.decision.small_talk_lead = static_cast<float>(percent) / 100;
        });
  }
  add("no-small-talk", "the threshold alone",
      [](EvalArm& arm) { arm.policy.decision.small_talk = 2; });
  for (const int percent : {30, 35, 40, 45, 50, 55, 60, 65, 70}) {
    add(fmt::format("cosine-{}", percent), fmt::format("one threshold: cosine 0.{}", percent),
        [&](EvalArm& arm) { arm.threshold = static_cast<float>(percent) / 100; });
  }
  return arms;
}

}  // namespace

const std::vector<EvalArm>& EvalArms() {
  static const std::vector<EvalArm> arms = MakeArms();
  return arms;
}

}  // namespace anabranch
