#include "text/chat_template.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace anabranch {
namespace {

const std::vector<std::string> kNames = {"chatml", "llama2", "llama3", "mistral",
                                         "gemma",  "zephyr", "phi3",   "vicuna"};

// tools/golden/chat_templates.py made these.
std::string ReadGolden(const std::string& file) {
  std::ifstream in(ANABRANCH_SOURCE_DIR "/tests/golden/text/chat/" + file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  EXPECT_FALSE(text.empty()) << file;
  return text;
}

using Turns = std::vector<std::pair<Role, std::string>>;

// As turns are encoded: a system text that has no turn of its own stands within the next user turn.
std::string Render(const ChatTemplate& chat_template, const Turns& turns) {
  std::string text = chat_template.stream_begin;
  bool user_turn_open = false;
  for (const auto& [role, turn] : turns) {
    const bool joins_user = role == Role::kSystem && !chat_template.has_system;
    if (joins_user) text += chat_template.user_header;
    if (!user_turn_open) text += chat_template.Header(role);
    text += turn;
    text += chat_template.Footer(role);
    user_turn_open = joins_user;
  }
  return text + chat_template.assistant_header;
}

TEST(ChatTemplate, WritesTurnsAsThePublishedTemplates) {
  const Turns turns = {{Role::kUser, "Who was there?"},
                       {Role::kAssistant, "Ruth was."},
                       {Role::kUser, "And then?\nTell me."}};
  Turns with_system = turns;
  with_system.insert(with_system.begin(), {Role::kSystem, "Be brief."});
  for (const std::string& name : kNames) {
    const auto chat_template = FindChatTemplate(name);
    ASSERT_TRUE(chat_template) << name;
    std::string golden = ReadGolden(name + ".txt");
    std::string text = Render(*chat_template, turns);
    // The space behind vicuna's last header is the first of the answer; the reference ends before.
    if (text.ends_with(' ')) text.pop_back();
    std::string text_with_system = Render(*chat_template, with_system);
    if (text_with_system.ends_with(' ')) text_with_system.pop_back();
    EXPECT_EQ(text + "====\n" + text_with_system, golden) << name;
  }
}

TEST(ChatTemplate, IsRecognisedFromJinja) {
  for (const std::string& name : kNames) {
    const auto found = DetectChatTemplate(ReadGolden(name + ".jinja"));
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->name, name);
  }
}

TEST(ChatTemplate, StableLmsZephyrEndsTurnsItsOwnWay) {
  const auto found = DetectChatTemplate("'<|user|>\n' + message['content'] + '<|endoftext|>'");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "zephyr");
  EXPECT_EQ(found->user_footer, "<|endoftext|>\n");
}

TEST(ChatTemplate, NoneOfOursIsNone) {
  EXPECT_FALSE(DetectChatTemplate(""));
  EXPECT_FALSE(DetectChatTemplate("{{ bos_token }}### Instruction:\n{{ message }}"));
}

TEST(ChatTemplate, AnUnknownNameGetsTheKnownOnes) {
  const auto found = FindChatTemplate("chat-ml");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kInvalid);
  for (const std::string& name : kNames) {
    EXPECT_NE(found.error().Message().find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace anabranch
