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
       {Units{1, 64}, {4, 64}, {16, 64}, {32, 64}, {8, 32}, {8, 128}, {64, 128}}) {
    find(fmt::format("units-{}-{}", units.min, units.max),
         fmt::format("units of {} to {} pieces", units.min, units.max),
         [&](EvalArm& arm) { arm.units = {.min_pieces = units.min, .max_pieces = units.max}; });
  }
  for (const int32_t size : {25, 50, 200}) {
    find(fmt::format("passage-{}", size), fmt::format("passages of {} tokens", size),
         [&](EvalArm& arm) { arm.chunk_size = size; });
  }
  find("no-neighbours", "units are handed over alone",
       [](EvalArm& arm) { arm.policy.neighbours = false; });

  using Words = RankPolicy::Words;
  find("words-none", "cosines alone", [](EvalArm& arm) { arm.policy.rank.words = Words::kNone; });
  find("words-fusion", "words and cosines fused by rank, with equal weight",
       [](EvalArm& arm) { arm.policy.rank.words = Words::kFusion; });
  find("words-alone", "words alone", [](EvalArm& arm) { arm.policy.rank.words = Words::kAlone; });

  using Lean = QueryPolicy::Lean;
  find("query-whole-turn", "the whole turn asks",
       [](EvalArm& arm) { arm.policy.query.whole_turn = true; });
  find("query-last-sentence", "the last sentence asks, alone", [](EvalArm& arm) {
    arm.policy.query.other_questions = false;
    arm.policy.query.lean = Lean::kNever;
  });
  find("query-no-previous", "no question leans on the previous turn",
       [](EvalArm& arm) { arm.policy.query.lean = Lean::kNever; });
  find("query-any-previous", "a short question leans on any previous turn",
       [](EvalArm& arm) { arm.policy.query.lean = Lean::kShortOnAny; });

  find("roles-equal", "what the model said ranks like what it was told",
       [](EvalArm& arm) { arm.policy.rank.assistant_penalty = 0; });
  find("repeats-allowed", "what repeats the question, or answered it before, ranks like the rest",
       [](EvalArm& arm) { arm.policy.rank.repeat_penalty = 0; });

  for (const int percent : {30, 35, 40, 45, 50, 55, 60, 65, 70}) {
    add(fmt::format("cosine-{}", percent), fmt::format("one threshold: cosine 0.{}", percent),
        [&](EvalArm& arm) {
          arm.policy.decision.small_talk = 2;
          arm.threshold = static_cast<float>(percent) / 100;
        });
  }
  return arms;
}

}  // namespace

const std::vector<EvalArm>& EvalArms() {
  static const std::vector<EvalArm> arms = MakeArms();
  return arms;
}

}  // namespace anabranch
