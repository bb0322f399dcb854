// Chat templates: how a model's turns are written. A turn is header + text + footer; header and
// footer are template text (special tokens are recognised there), the text never is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "anabranch/types.h"
#include "base/result.h"

namespace anabranch {

// One chat format. All strings are template text.
struct ChatTemplate {
  std::string name;            // chatml, llama2, llama3, mistral, gemma, zephyr, phi3, vicuna
  std::string stream_begin{};  // before the first turn, beside BOS; usually empty
  bool has_system = true;  // false (gemma, mistral, llama2): a system text joins the next user turn
  std::string system_header{}, system_footer{};
  std::string user_header{}, user_footer{};
  // The assistant's header is what makes the model answer: it ends the prompt.
  std::string assistant_header{}, assistant_footer{};

  std::string_view Header(Role role) const;
  std::string_view Footer(Role role) const;
};

// By name (as --chat-template takes it). Error kInvalid lists the names.
Result<ChatTemplate> FindChatTemplate(std::string_view name);
// From a model's `tokenizer.chat_template` (Jinja text): recognised by what is typical of each
// format. nullopt: none of ours.
std::optional<ChatTemplate> DetectChatTemplate(std::string_view jinja);

}  // namespace anabranch
