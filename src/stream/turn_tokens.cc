#include "stream/turn_tokens.h"

namespace anabranch {

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
  if (role != Role::kUser) AddTemplate(template_->Header(role), &turn);

  turn.text = text;
  turn.text_begin = turn.size();
  const std::vector<TokenId> ids = tokenizer_->Encode(text);
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

std::vector<TokenId> TurnEncoder::AnswerFooter() const {
  return tokenizer_->EncodeTemplate(template_->Footer(Role::kAssistant));
}

}  // namespace anabranch
