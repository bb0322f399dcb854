#include "engine/model_turns.h"

#include <utility>

#include "engine/fingerprint.h"
#include "engine/tokenizer_spec.h"

namespace anabranch {
namespace {

class EncoderCoder final : public TurnCoder {
 public:
  EncoderCoder(const TurnEncoder& encoder, const std::string& fingerprint)
      : encoder_(encoder), fingerprint_(fingerprint) {}

  const std::string& fingerprint() const override { return fingerprint_; }
  std::vector<JournalRecord> Encode(Role role, std::string_view text) override {
    const TurnTokens turn = encoder_.Turn(role, text);
    std::vector<JournalRecord> records = RecordsOf(turn, 0, turn.size());
    for (JournalRecord& record : records) record.role = role;
    return records;
  }

 private:
  TurnEncoder encoder_;
  std::string fingerprint_;
};

}  // namespace

Result<std::optional<ChatTemplate>> ChooseTemplate(const GgufFile& file, const std::string& name) {
  if (!name.empty()) {
    ASSIGN_OR_RETURN(ChatTemplate found, FindChatTemplate(name));
    return found;
  }
  const Result<std::string_view> jinja = file.String("tokenizer.chat_template");
  if (!jinja) return std::nullopt;
  return DetectChatTemplate(*jinja);
}

Result<std::unique_ptr<ModelTurns>> ModelTurns::Open(const TurnFormat& format) {
  ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(format.model));
  ASSIGN_OR_RETURN(TokenizerSpec spec, ReadTokenizerSpec(file));
  const std::string tokenizer_fingerprint = TokenizerFingerprint(spec);
  ASSIGN_OR_RETURN(std::unique_ptr<Tokenizer> tokenizer, CreateTokenizer(std::move(spec)));
  ASSIGN_OR_RETURN(std::optional<ChatTemplate> chat_template,
                   ChooseTemplate(file, format.chat_template));
  if (!chat_template) {
    return Fail(ErrorKind::kUnsupported, format.model,
                "has no chat template that is known here, and turns need one",
                "name one with --chat-template");
  }
  std::string fingerprint = TurnsFingerprint(tokenizer_fingerprint, *chat_template);
  return std::unique_ptr<ModelTurns>(
      new ModelTurns(std::move(fingerprint), std::move(tokenizer), *std::move(chat_template)));
}

std::unique_ptr<TurnCoder> ModelTurns::Coder(const TurnEncoder& encoder) const {
  return std::make_unique<EncoderCoder>(encoder, fingerprint_);
}

}  // namespace anabranch
