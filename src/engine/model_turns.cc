#include "engine/model_turns.h"

#include <algorithm>
#include <utility>

#include "engine/fingerprint.h"
#include "engine/tokenizer_spec.h"

namespace anabranch {
namespace {

constexpr int64_t kMaxRecord = 4096;  // tokens, as JournalWriter writes them

// Tokens [begin, end) of a turn, of one kind, as records.
void AddRecords(const TurnTokens& turn, Role role, RecordKind kind, int64_t begin, int64_t end,
                std::vector<JournalRecord>* records) {
  for (int64_t at = begin; at < end;) {
    const int64_t stop = std::min(end, at + kMaxRecord);
    JournalRecord record;
    record.role = role;
    record.kind = kind;
    record.begin = StreamPos(at);
    record.ids.assign(turn.ids.begin() + at, turn.ids.begin() + stop);
    if (kind == RecordKind::kText) {
      const uint32_t from = turn.TextByte(at);
      record.bytes = turn.text.substr(from, turn.TextByte(stop) - from);
      for (int64_t i = at; i < stop; ++i) record.token_ends.push_back(turn.TextByte(i + 1) - from);
    }
    records->push_back(std::move(record));
    at = stop;
  }
}

class EncoderCoder final : public TurnCoder {
 public:
  EncoderCoder(const TurnEncoder& encoder, const std::string& fingerprint)
      : encoder_(encoder), fingerprint_(fingerprint) {}

  const std::string& fingerprint() const override { return fingerprint_; }
  std::vector<JournalRecord> Encode(Role role, std::string_view text) override {
    const TurnTokens turn = encoder_.Turn(role, text);
    std::vector<JournalRecord> records;
    AddRecords(turn, role, RecordKind::kTemplate, 0, turn.text_begin, &records);
    AddRecords(turn, role, RecordKind::kText, turn.text_begin, turn.text_end, &records);
    AddRecords(turn, role, RecordKind::kTemplate, turn.text_end, turn.size(), &records);
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
