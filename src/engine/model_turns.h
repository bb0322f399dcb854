// A model's way to write turns, without its weights: its tokenizer and its chat template.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "anabranch/engine.h"
#include "base/result.h"
#include "io/gguf.h"
#include "memory/turn_coder.h"
#include "stream/turn_tokens.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace anabranch {

// The template by its name, else what the model's metadata is recognised as; nullopt: neither.
Result<std::optional<ChatTemplate>> ChooseTemplate(const GgufFile& file, const std::string& name);

class ModelTurns {
 public:
  // Error kUnsupported: the model has no template that is known here, and none is named.
  static Result<std::unique_ptr<ModelTurns>> Open(const TurnFormat& format);

  const std::string& fingerprint() const { return fingerprint_; }
  // Of a stream that begins; this must outlive it.
  TurnEncoder Encoder() const { return TurnEncoder(*tokenizer_, template_); }
  // A coder that goes on with what `encoder` has written.
  std::unique_ptr<TurnCoder> Coder(const TurnEncoder& encoder) const;

 private:
  ModelTurns(std::string fingerprint, std::unique_ptr<Tokenizer> tokenizer,
             ChatTemplate chat_template)
      : fingerprint_(std::move(fingerprint)),
        tokenizer_(std::move(tokenizer)),
        template_(std::move(chat_template)) {}

  std::string fingerprint_;
  std::unique_ptr<Tokenizer> tokenizer_;
  ChatTemplate template_;
};

}  // namespace anabranch
