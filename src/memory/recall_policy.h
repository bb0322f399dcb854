// The choices of recall, in one place. The defaults are what ships; an evaluation turns the others
// (engine/eval_arms.cc). Where a reason says "measured", docs/recall.md has the table.
#pragma once

#include <cstdint>

namespace anabranch {

// What a turn asks (query.h).
struct QueryPolicy {
  bool whole_turn = false;      // the turn as it is, and nothing else
  bool other_questions = true;  // each question of the turn beside its last sentence
  bool long_turns = false;      // a short question that names something leans on long turns, too
  bool previous = true;         // a short or anaphoric question leans on the turn before
  bool last_sentence = true;    // … on its last sentence alone
  int max_pieces = 128;         // of all queries: what MiniLM reads well
  int short_pieces = 8;         // such a question rarely says what it is about
  int previous_pieces = 64;     // of the previous turn
  // Of a question that leans and names nothing ("When does it leave?"), asked alone: it is near to
  // all that it could be asked of.
  float unnamed_weight = 0.5f;
  // A turn's last sentence that asks nothing, beside questions that do ("Answer in one word.").
  float aside_weight = 0.5f;
};

// The order of what was found (rank.h).
struct RankPolicy {
  int candidates = 64;  // of each ranking; what a query finds at that rank is typical of it
  enum class Words : uint8_t {
    kNone,    // cosines alone
    kLift,    // a unit is lifted by the share of the question's rare words that it holds
    kGate,    // … only if it holds a good part of them
    kFusion,  // the order by words is fused with the orders by cosine, with equal weight
    kAlone,   // no cosines
  };
  Words words = Words::kLift;
  float words_lift = 0.3f;  // of a unit that holds all of them
  float words_gate = 0.6f;  // the good part, by rarity
  // A unit takes this share of its better neighbour's score: of two sentences that tell a fact
  // together, each answers half of the question.
  float neighbour_share = 0.1f;
  float assistant_penalty = 0.025f;  // at similar scores the user's own words lead
  float repeat_penalty = 0.4f;       // it adds nothing, or was said without the fact
  enum class Fusion : uint8_t {
    kMargins,  // scores above what is typical: a query that finds nothing special adds nothing
    kReciprocalRanks,
  };
  Fusion fusion = Fusion::kMargins;
  double rank_offset = 10;  // of reciprocal ranks: how soon they flatten
};

// Whether to recall at all (decision.h).
struct DecisionPolicy {
  bool always = false;    // whatever was found is handed over
  float floor = 0.35f;    // that any related pair of sentences passes
  double quantile = 0.8;  // of the null queries' best scores: some may be what a store is about
  float margin = 0.02f;
  // A query this close to small talk, and closer by so much than to what asks, asks for nothing.
  float small_talk = 0.35f;
  float small_talk_lead = 0.1f;
  // Below the threshold that one hit must pass, the others may still be what was meant.
  float slack = 0.1f;
};

struct RecallPolicy {
  QueryPolicy query;
  RankPolicy rank;
  DecisionPolicy decision;
  bool neighbours = true;  // a unit is handed over with those around it
  bool unfinished = true;  // … and with the rest of its sentence, if its turn ended within it
};

}  // namespace anabranch
