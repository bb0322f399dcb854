#include <gtest/gtest.h>

#include <deque>

#include "cli/chat_commands.h"
#include "cli/chat_input.h"

namespace anabranch::cli {
namespace {

// Lines that were typed beforehand.
class TypedLines final : public ChatInput {
 public:
  explicit TypedLines(std::deque<std::string> lines) : lines_(std::move(lines)) {}
  Result<std::optional<std::string>> Line(const char*) override {
    if (lines_.empty()) return std::optional<std::string>();
    std::optional<std::string> line = lines_.front();
    lines_.pop_front();
    return line;
  }
  void Remember(const std::string& message) override { remembered.push_back(message); }

  std::vector<std::string> remembered;

 private:
  std::deque<std::string> lines_;
};

std::vector<std::string> Messages(std::deque<std::string> lines) {
  TypedLines input(std::move(lines));
  std::vector<std::string> messages;
  while (true) {
    const std::optional<std::string> message = ReadMessage(input).value();
    if (!message) break;
    messages.push_back(*message);
  }
  EXPECT_EQ(messages, input.remembered);
  return messages;
}

using Strings = std::vector<std::string>;

TEST(ChatTest, ALineIsAMessage) { EXPECT_EQ(Messages({"a", "", "b"}), (Strings{"a", "", "b"})); }

TEST(ChatTest, QuotesHoldMessagesOfManyLines) {
  EXPECT_EQ(Messages({R"("""a)", "", R"(b""")", "c"}), (Strings{"a\n\nb", "c"}));
  EXPECT_EQ(Messages({R"(""")", "a", R"(say "x")", R"(""")"}), (Strings{"a\nsay \"x\""}));
  EXPECT_EQ(Messages({R"("""one line""")"}), (Strings{"one line"}));
  EXPECT_EQ(Messages({R"(""")", "never closed"}), (Strings{"never closed"}));
}

TEST(ChatTest, OnlyASlashInFrontMakesACommand) {
  EXPECT_TRUE(IsChatCommand("/help"));
  EXPECT_FALSE(IsChatCommand(" /help"));
  EXPECT_FALSE(IsChatCommand("/usr/bin\nwhat is it?"));
  EXPECT_FALSE(IsChatCommand("a/b"));
}

TEST(ChatTest, WhatIsSavedCanBeReadAgain) {
  const std::vector<Turn> turns = {
      {.role = Role::kSystem, .text = "Be brief."},
      {.role = Role::kUser, .text = "\"quoted\"\n\u00E9", .time_ms = 1714566605250},
      {.role = Role::kAssistant, .text = "", .time_ms = 1714566606000}};
  std::string json = TranscriptJson(turns);
  Input input{.name = "saved.json", .read = [&json](std::span<char> buffer) -> Result<size_t> {
                const size_t n = std::min(json.size(), buffer.size());
                std::copy_n(json.begin(), n, buffer.begin());
                json.erase(0, n);
                return n;
              }};
  ConversationReader reader = ConversationReader::Open(std::move(input)).value();
  for (const Turn& turn : turns) {
    const std::optional<Turn> read = reader.Next().value();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->role, turn.role);
    EXPECT_EQ(read->text, turn.text);
    EXPECT_EQ(read->time_ms, turn.time_ms);
  }
  EXPECT_FALSE(reader.Next().value());
}

}  // namespace
}  // namespace anabranch::cli
