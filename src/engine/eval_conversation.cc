#include "engine/eval_conversation.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "io/mapped_file.h"

namespace anabranch {
namespace {

using Json = nlohmann::json;

Result<EvalConversation> Parse(const Json& file) {
  EvalConversation conversation;
  if (file.at("format") != "anabranch-conversation" || file.at("version") != 1) {
    return Fail(ErrorKind::kCorrupt, "format", "is not anabranch-conversation, version 1");
  }
  conversation.name = file.at("name");
  for (const Json& message : file.at("messages")) {
    const std::string& name = message.at("role").get_ref<const std::string&>();
    const std::optional<Role> role = FindRole(name);
    if (!role) return Fail(ErrorKind::kCorrupt, "role '" + name + "'", "is not one of ours");
    conversation.messages.push_back({*role, message.at("content"), message.at("time_ms")});
  }
  for (const Json& question : file.at("questions")) {
    conversation.questions.push_back({question.at("id"), question.at("kind"), question.at("traits"),
                                      question.at("previous"), question.at("turn"),
                                      question.at("evidence")});
  }
  return conversation;
}

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') ||
         ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

}  // namespace

Result<EvalConversation> ReadEvalConversation(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  const auto* text = reinterpret_cast<const char*>(file.bytes().data());
  Result<EvalConversation> conversation;
  try {
    conversation = Parse(Json::parse(text, text + file.bytes().size()));
  } catch (const Json::exception& error) {
    conversation = Fail(ErrorKind::kCorrupt, "JSON", error.what());
  }
  if (conversation) return conversation;
  return Fail(ErrorKind::kCorrupt, path, conversation.error().Message(),
              "make it with eval/make_conversations.py");
}

bool HoldsWords(std::string_view text, std::string_view words) {
  for (size_t at = text.find(words); at != text.npos; at = text.find(words, at + 1)) {
    const size_t end = at + words.size();
    const bool begins = at == 0 || !IsWordByte(text[at - 1]) || !IsWordByte(words.front());
    const bool ends = end == text.size() || !IsWordByte(text[end]) || !IsWordByte(words.back());
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace anabranch
