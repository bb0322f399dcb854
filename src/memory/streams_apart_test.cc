// Two streams in one memory, however they take turns: each recalls what it would recall alone.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "memory/memory_test_support.h"

namespace anabranch {
namespace {

struct Step {
  size_t stream = 0;
  Role role = Role::kUser;
  std::string text;
};

std::vector<Step> ArbitrarySteps() {
  const auto words = rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "bridge", "river", "the", "old", "Anna", "seven", "green", "mill.", "piano?", "of", "is"));
  const auto text = rc::gen::map(words, [](const std::vector<std::string>& parts) {
    std::string joined = "So";
    for (const std::string& part : parts) joined += " " + part;
    return joined + ".";
  });
  const auto step = rc::gen::construct<Step>(rc::gen::inRange<size_t>(0, 2),
                                             rc::gen::element(Role::kUser, Role::kAssistant), text);
  return *rc::gen::scale(0.3, rc::gen::container<std::vector<Step>>(step));
}

void ExpectSame(const RecallResult& a, const RecallResult& b) {
  RC_ASSERT(a.decision == b.decision);
  RC_ASSERT(a.best_score == b.best_score);
  RC_ASSERT(a.threshold == b.threshold);
  RC_ASSERT(a.passages.size() == b.passages.size());
  for (size_t i = 0; i < a.passages.size(); ++i) {
    RC_ASSERT(a.passages[i].span == b.passages[i].span);
    RC_ASSERT(a.passages[i].text == b.passages[i].text);
    RC_ASSERT(a.passages[i].score == b.passages[i].score);
    RC_ASSERT(a.passages[i].lexical == b.passages[i].lexical);
  }
}

RC_GTEST_PROP(StreamsApartProperty, EachRecallsWhatItWouldAlone, ()) {
  const std::vector<Step> steps = ArbitrarySteps();
  const std::string names[] = {"one", "two"};
  const auto shared = OpenMemory("", FakeEmbedder()).value();
  for (size_t s = 0; s < 2; ++s) {
    const auto own = OpenMemory("", FakeEmbedder()).value();
    const auto stream = own->OpenStream(names[s], "t").value();
    Writer writer(stream.get());
    for (const Step& step : steps) {
      if (step.stream == s) writer.Say(step.role, step.text);
    }
    if (s == 0) {
      const auto one = shared->OpenStream(names[0], "t").value();
      const auto two = shared->OpenStream(names[1], "t").value();
      Writer writers[] = {Writer(one.get()), Writer(two.get())};
      for (const Step& step : steps) writers[step.stream].Say(step.role, step.text);
    }
    const auto of_shared = shared->OpenStream(names[s], "t").value();
    for (const char* question :
         {"Is the old bridge of Anna green?", "Seven? And the piano mill?"}) {
      RecallQuery query;
      query.turn_text = question;
      query.mode = RecallMode::kAlways;
      for (const std::optional<float> threshold : {std::optional<float>(), std::optional(0.1f)}) {
        query.threshold = threshold;
        ExpectSame(of_shared->Recall(query).value(), stream->Recall(query).value());
      }
    }
  }
}

}  // namespace
}  // namespace anabranch
