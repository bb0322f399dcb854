// What is forgotten here is forgotten at the server, whatever fails on the way.
#include <gtest/gtest.h>

#include <future>
#include <random>
#include <thread>
#include <utility>

#include "memory/drain_fixture.h"

namespace anabranch {
namespace {

using std::chrono::milliseconds;

TEST(Drain, ErasesAtTheServerWhatWasForgotten) {
  Draining d(true);
  d.Start();
  ASSERT_TRUE(d.Finish());
  ForgetSelection what;
  what.matching = "door is 7.";
  ASSERT_TRUE(d.memory->Forget("s", what, false));
  d.drain->Notify();
  ASSERT_TRUE(d.Finish());
  EXPECT_EQ(d.ServerIds(), d.LocalIds());
  d.ExpectSameJournal();
  for (const auto& [begin, record] : d.server.records) {
    EXPECT_EQ(record.record.bytes.find("door is 7."), std::string::npos);
  }
}

TEST(Drain, ErasesWhatWasForgottenWhileTheServerWasAway) {
  Draining d(true);
  d.Start();
  ASSERT_TRUE(d.Finish());
  {
    const std::lock_guard lock(d.server.mutex);
    d.server.away = true;
  }
  d.writer->Say(Role::kUser, Sentence(500));
  d.drain->Notify();
  EXPECT_FALSE(d.drain->Flush(kPatience));
  ForgetSelection all;
  all.all = true;
  ASSERT_TRUE(d.memory->Forget("s", all, false));
  {
    const std::lock_guard lock(d.server.mutex);
    d.server.away = false;
  }
  ASSERT_TRUE(d.Finish());
  EXPECT_TRUE(d.ServerIds().empty());
  d.ExpectSameJournal();
  for (const auto& [begin, record] : d.server.records) EXPECT_EQ(record.record.bytes, "");
}

// The text is on its way when it is forgotten, arrives, and the answer is lost.
TEST(Drain, NoRetryBringsBackWhatWasForgottenWhileItWasSent) {
  Draining d(true);
  std::promise<void> sending, forgotten;
  bool sent = false;
  d.server.writes_before_failing = true;
  d.server.fails = [&](std::span<const RemoteUnit> units) -> std::optional<Error> {
    const bool there = std::any_of(units.begin(), units.end(), [](const RemoteUnit& unit) {
      return unit.text.find("door is 7.") != std::string::npos;
    });
    if (!there || std::exchange(sent, true)) return std::nullopt;
    sending.set_value();
    forgotten.get_future().wait();
    return Unavailable();
  };
  d.Start();
  sending.get_future().wait();
  const ForgetResult result =
      d.memory->Forget("s", {.matching = "door is 7."}, /*dry_run=*/false).value();
  EXPECT_EQ(result.grade, ForgetGrade::kUnreachable);
  forgotten.set_value();
  ASSERT_TRUE(d.Finish());
  EXPECT_EQ(d.TextAtServer().find("door is 7."), std::string::npos);
  EXPECT_EQ(d.ServerIds(), d.LocalIds());
  d.ExpectSameJournal();
}

TEST(Drain, WhateverFailsWhenNothingThatWasForgottenIsThereInTheEnd) {
  for (uint32_t seed = 0; seed < 4; ++seed) {
    std::mt19937 random(seed);
    Draining d(true);
    d.server.writes_before_failing = true;
    d.server.fails = [answers = std::mt19937(seed)](auto) mutable -> std::optional<Error> {
      return answers() % 3 == 0 ? std::optional(Unavailable()) : std::nullopt;
    };
    d.Start();
    std::vector<std::string> forgotten;
    for (int step = 0; step < 60; ++step) {
      if (random() % 2 == 0) {
        d.writer->Say(step % 2 == 0 ? Role::kUser : Role::kAssistant, Sentence(1000 + step));
      } else if (random() % 2 == 0) {
        const int i = static_cast<int>(random() % 80);
        const int said = i < kTurns ? i : 1000 + std::max(0, step - i + kTurns);
        forgotten.push_back("door is " + std::to_string(said) + ".");
        ASSERT_TRUE(d.memory->Forget("s", {.matching = forgotten.back()}, false));
      } else {
        d.SetAway(random() % 2 == 0);
      }
      d.drain->Notify();
      if (random() % 4 == 0) std::this_thread::sleep_for(milliseconds(1));
    }
    d.SetAway(false);
    ASSERT_TRUE(d.Finish());
    EXPECT_EQ(d.ServerIds(), d.LocalIds());
    d.ExpectSameJournal();
    const std::string text = d.TextAtServer();
    for (const std::string& gone : forgotten) {
      // What was said once more, after it was forgotten, is there.
      const bool here = !d.memory->Forget("s", {.matching = gone}, true).value().spans.empty();
      EXPECT_EQ(text.find(gone) != std::string::npos, here) << seed << ": " << gone;
    }
  }
}

TEST(Drain, SendsWhatIsSaidAfterAllWasForgotten) {
  Draining d;
  d.Start();
  ASSERT_TRUE(d.Finish());
  ForgetSelection all;
  all.all = true;
  ASSERT_TRUE(d.memory->Forget("s", all, false));
  d.writer->Say(Role::kUser, Sentence(500));
  d.writer->Say(Role::kAssistant, Sentence(501));
  d.writer->Say(Role::kUser, Sentence(502));
  d.drain->Notify();
  ASSERT_TRUE(d.Finish());
  EXPECT_EQ(d.ServerIds(), d.LocalIds());
  EXPECT_GE(d.ServerIds().size(), 2u);
}

}  // namespace
}  // namespace anabranch
