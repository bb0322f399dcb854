#include "cli/feed.h"

#include <gtest/gtest.h>

namespace anabranch::cli {
namespace {

// What becomes of turns that are written "s" (system), "u" (user) and "a" (assistant): the same
// letters, in upper case where the turn is answered.
std::string Fed(const std::string& turns, AnswerWhich which) {
  std::string json = "[";
  for (const char c : turns) {
    json += std::string(json.size() > 1 ? "," : "") + R"({"content": "", "role": ")" +
            (c == 's'   ? "system"
             : c == 'u' ? "user"
                        : "assistant") +
            "\"}";
  }
  json += "]";
  Input input{.name = "a.json", .read = [&json](std::span<char> buffer) -> Result<size_t> {
                const size_t n = std::min(json.size(), buffer.size());
                std::copy_n(json.begin(), n, buffer.begin());
                json.erase(0, n);
                return n;
              }};
  ConversationReader reader = ConversationReader::Open(std::move(input)).value();
  std::string fed;
  const TurnSink sink{.read = [&fed](const Turn& turn) -> Result<void> {
                        fed += RoleName(turn.role)[0];
                        return {};
                      },
                      .answer = [&fed](const Turn& turn) -> Result<void> {
                        fed += static_cast<char>(std::toupper(RoleName(turn.role)[0]));
                        return {};
                      }};
  std::optional<Turn> first = reader.Next().value();
  EXPECT_TRUE(FeedTurns(std::move(first), reader, which, sink));
  return fed;
}

TEST(FeedTest, EveryAnswersUserTurnsThatHaveNoAnswer) {
  EXPECT_EQ(Fed("su", AnswerWhich::kEvery), "sU");
  EXPECT_EQ(Fed("suuu", AnswerWhich::kEvery), "sUUU");
  EXPECT_EQ(Fed("uauau", AnswerWhich::kEvery), "uauaU");
  EXPECT_EQ(Fed("uusu", AnswerWhich::kEvery), "UUsU");
  EXPECT_EQ(Fed("uaa", AnswerWhich::kEvery), "uaa");
  EXPECT_EQ(Fed("", AnswerWhich::kEvery), "");
}

TEST(FeedTest, LastAnswersTheLastUserTurnAlone) {
  EXPECT_EQ(Fed("suuu", AnswerWhich::kLast), "suuU");
  EXPECT_EQ(Fed("uauau", AnswerWhich::kLast), "uauaU");
  EXPECT_EQ(Fed("uusu", AnswerWhich::kLast), "uusU");
  EXPECT_EQ(Fed("uus", AnswerWhich::kLast), "uUs");
  EXPECT_EQ(Fed("uua", AnswerWhich::kLast), "uua");
}

TEST(FeedTest, NoneReadsAll) { EXPECT_EQ(Fed("suauu", AnswerWhich::kNone), "suauu"); }

}  // namespace
}  // namespace anabranch::cli
