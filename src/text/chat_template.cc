#include "text/chat_template.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

namespace anabranch {
namespace {

const std::vector<ChatTemplate>& AllChatTemplates() {
  static const std::vector<ChatTemplate> all = {
      {.name = "chatml",
       .system_header = "<|im_start|>system\n",
       .system_footer = "<|im_end|>\n",
       .user_header = "<|im_start|>user\n",
       .user_footer = "<|im_end|>\n",
       .assistant_header = "<|im_start|>assistant\n",
       .assistant_footer = "<|im_end|>\n"},
      {.name = "llama2",
       .has_system = false,
       .system_header = "<<SYS>>\n",
       .system_footer = "\n<</SYS>>\n\n",
       .user_header = "[INST] ",
       .user_footer = " [/INST]",
       .assistant_header = "",
       .assistant_footer = "</s><s>"},
      {.name = "llama3",
       .system_header = "<|start_header_id|>system<|end_header_id|>\n\n",
       .system_footer = "<|eot_id|>",
       .user_header = "<|start_header_id|>user<|end_header_id|>\n\n",
       .user_footer = "<|eot_id|>",
       .assistant_header = "<|start_header_id|>assistant<|end_header_id|>\n\n",
       .assistant_footer = "<|eot_id|>"},
      {.name = "mistral",
       .has_system = false,
       .system_header = "",
       .system_footer = "\n\n",
       .user_header = "[INST] ",
       .user_footer = " [/INST]",
       .assistant_header = "",
       .assistant_footer = "</s>"},
      {.name = "gemma",
       .has_system = false,
       .system_header = "",
       .system_footer = "\n\n",
       .user_header = "<start_of_turn>user\n",
       .user_footer = "<end_of_turn>\n",
       .assistant_header = "<start_of_turn>model\n",
       .assistant_footer = "<end_of_turn>\n"},
      {.name = "zephyr",
       .system_header = "<|system|>\n",
       .system_footer = "</s>\n",
       .user_header = "<|user|>\n",
       .user_footer = "</s>\n",
       .assistant_header = "<|assistant|>\n",
       .assistant_footer = "</s>\n"},
      {.name = "phi3",
       .system_header = "<|system|>\n",
       .system_footer = "<|end|>\n",
       .user_header = "<|user|>\n",
       .user_footer = "<|end|>\n",
       .assistant_header = "<|assistant|>\n",
       .assistant_footer = "<|end|>\n"},
      {.name = "vicuna",
       .system_header = "",
       .system_footer = "\n\n",
       .user_header = "USER: ",
       .user_footer = "\n",
       .assistant_header = "ASSISTANT: ",
       .assistant_footer = "</s>\n"},
  };
  return all;
}

}  // namespace

std::string_view ChatTemplate::Header(Role role) const {
  switch (role) {
    case Role::kSystem:
      return system_header;
    case Role::kUser:
      return user_header;
    case Role::kAssistant:
      return assistant_header;
  }
  return {};
}

std::string_view ChatTemplate::Footer(Role role) const {
  switch (role) {
    case Role::kSystem:
      return system_footer;
    case Role::kUser:
      return user_footer;
    case Role::kAssistant:
      return assistant_footer;
  }
  return {};
}

Result<ChatTemplate> FindChatTemplate(std::string_view name) {
  std::string known;
  for (const ChatTemplate& chat_template : AllChatTemplates()) {
    if (chat_template.name == name) return chat_template;
    known += (known.empty() ? "" : ", ") + chat_template.name;
  }
  return Fail(ErrorKind::kInvalid, fmt::format("chat template \"{}\"", name), "it is not known",
              "known are " + known);
}

std::optional<ChatTemplate> DetectChatTemplate(std::string_view jinja) {
  const auto has = [&](std::string_view mark) {
    return jinja.find(mark) != std::string_view::npos;
  };
  // phi3 and zephyr write the same headers, llama2 and mistral the same brackets: what only one of
  // them has is looked for first.
  const auto name = [&]() -> std::string_view {
    if (has("<|im_start|>")) return "chatml";
    if (has("<|start_header_id|>")) return "llama3";
    if (has("<start_of_turn>")) return "gemma";
    if (has("<|user|>") && has("<|end|>")) return "phi3";
    if (has("<|user|>") && (has("eos_token") || has("<|endoftext|>"))) return "zephyr";
    if (has("[INST]")) return has("<<SYS>>") ? "llama2" : "mistral";
    if (has("USER: ") && has("ASSISTANT:")) return "vicuna";
    return "";
  }();
  Result<ChatTemplate> found = FindChatTemplate(name);
  if (!found) return std::nullopt;
  if (found->name == "zephyr" && has("<|endoftext|>")) {  // StableLM's turns end so
    found->system_footer = found->user_footer = found->assistant_footer = "<|endoftext|>\n";
  }
  return *std::move(found);
}

}  // namespace anabranch
