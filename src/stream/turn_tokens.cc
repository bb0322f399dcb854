#include "stream/turn_tokens.h"

#include <algorithm>

#include "text/cutter.h"
#include "text/utf8.h"

namespace anabranch {

uint32_t TurnTokens::TextByte(int64_t token) const {
  token = std::min(token, text_end);
  return token <= text_begin ? 0 : text_ends[static_cast<size_t>(token - text_begin - 1)];
}

bool TurnTokens::CutsCharacter(int64_t token) const {
  const uint32_t byte = TextByte(token);
  return byte > 0 && byte < text.size() && ContinuesCharacter(text[byte]);
}

int64_t TurnTokens::SplitBefore(int64_t max_rest) const {
  if (size() <= max_rest) return 0;
  int64_t earliest = std::clamp(size() - max_rest, text_begin, text_end);
  while (CutsCharacter(earliest)) ++earliest;
  const uint32_t byte = TextByte(earliest);
  const std::vector<ByteSpan> sentences = CutSentences(std::string_view(text).substr(byte));
  if (sentences.size() < 2) return earliest;
  // The token that holds the sentence's first byte: it may begin with the space before it.
  const auto begin = static_cast<uint32_t>(byte + sentences[1].begin);
  return text_begin +
         (std::upper_bound(text_ends.begin(), text_ends.end(), begin) - text_ends.begin());
}

std::vector<JournalRecord> RecordsOf(const TurnTokens& turn, int64_t begin, int64_t end) {
  std::vector<JournalRecord> records;
  const auto add = [&](RecordKind kind, int64_t from, int64_t to) {
    from = std::max(from, begin);
    to = std::min(to, end);
    for (int64_t stop = from; from < to; from = stop) {
      stop = std::min(to, from + kMaxRecordTokens);
      JournalRecord& record = records.emplace_back();
      record.kind = kind;
      record.begin = StreamPos(from - begin);
      record.ids.assign(turn.ids.begin() + from, turn.ids.begin() + stop);
      if (kind != RecordKind::kText) continue;
      const uint32_t byte = turn.TextByte(from);
      record.bytes = turn.text.substr(byte, turn.TextByte(stop) - byte);
      for (int64_t i = from; i < stop; ++i) {
        record.token_ends.push_back(turn.TextByte(i + 1) - byte);
      }
    }
  };
  add(RecordKind::kTemplate, 0, turn.text_begin);
  add(RecordKind::kText, turn.text_begin, turn.text_end);
  add(RecordKind::kTemplate, turn.text_end, turn.size());
  return records;
}

void TurnEncoder::AddTemplate(std::string_view text, TurnTokens* turn) const {
  const std::vector<TokenId> ids = tokenizer_->EncodeTemplate(text);
  turn->ids.insert(turn->ids.end(), ids.begin(), ids.end());
}

TurnTokens TurnEncoder::Turn(Role role, std::string_view text) {
  TurnTokens turn;
  if (!begun_) {
    if (tokenizer_->add_bos() && tokenizer_->bos()) turn.ids.push_back(*tokenizer_->bos());
    AddTemplate(template_->stream_begin, &turn);
    begun_ = true;
  }
  const bool joins_user = role == Role::kSystem && !template_->has_system;
  if (!user_turn_open_ && (joins_user || role == Role::kUser)) {
    AddTemplate(template_->Header(Role::kUser), &turn);
  }
  if (user_turn_open_ && role == Role::kAssistant) {
    AddTemplate(template_->Footer(Role::kUser), &turn);
  }
  if (role != Role::kUser) AddTemplate(template_->Header(role), &turn);

  turn.text = text;
  turn.text_begin = turn.size();
  std::string_view before = template_->Header(role);
  if (joins_user && before.empty()) before = template_->Header(Role::kUser);
  if (user_turn_open_ && role == Role::kUser) before = template_->Footer(Role::kSystem);
  const std::vector<TokenId> ids = tokenizer_->EncodeAfter(before, text);
  turn.text_ends = tokenizer_->TokenEnds(ids, text);
  turn.ids.insert(turn.ids.end(), ids.begin(), ids.end());
  turn.text_end = turn.size();

  AddTemplate(template_->Footer(role), &turn);
  user_turn_open_ = joins_user;
  return turn;
}

std::vector<TokenId> TurnEncoder::AnswerHeader() const {
  return tokenizer_->EncodeTemplate(template_->Header(Role::kAssistant));
}

std::vector<TokenId> TurnEncoder::Footer(Role role) const {
  return tokenizer_->EncodeTemplate(template_->Footer(role));
}

void TurnEncoder::Resume(Role last) {
  begun_ = true;
  user_turn_open_ = last == Role::kSystem && !template_->has_system;
}

}  // namespace anabranch
