// Turns as tokens: what a chat template puts around a text, and the text itself.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/types.h"
#include "memory/journal.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace anabranch {

// Tokens of a turn: template | text | template. Only the text is ever remembered.
struct TurnTokens {
  std::vector<TokenId> ids;
  int64_t text_begin = 0, text_end = 0;  // indices into ids
  std::string text;
  std::vector<uint32_t> text_ends;  // token text_begin + i ends at text[text_ends[i]]

  int64_t size() const { return static_cast<int64_t>(ids.size()); }
  // Bytes of the text before token `token` (any of the turn's, or size()).
  uint32_t TextByte(int64_t token) const;
  // Token `token` begins inside a character of the text.
  bool CutsCharacter(int64_t token) const;
  // Where a turn is split that is too long to be read whole after recalled text: the token at which
  // a sentence begins, at most max_rest tokens before the turn's end; 0 if it is short enough. Text
  // whose last sentence is longer is split inside it.
  int64_t SplitBefore(int64_t max_rest) const;
};

// Tokens of a journal record at most, but for the batch that ends it.
inline constexpr int64_t kMaxRecordTokens = 4096;

// Tokens [begin, end) of a turn as records of at most kMaxRecordTokens: template, text, template,
// as far as they lie there. Positions count from `begin`; turn, role, time and source are the
// caller's.
std::vector<JournalRecord> RecordsOf(const TurnTokens& turn, int64_t begin, int64_t end);

// Encodes the turns of one stream in order: it knows whether the stream has begun, and whether a
// system text waits for the user turn that it is part of (formats without a system role).
class TurnEncoder {
 public:
  TurnEncoder(const Tokenizer& tokenizer, const ChatTemplate& chat_template)
      : tokenizer_(&tokenizer), template_(&chat_template) {}

  // The stream has begun before, and its last turn was of this role.
  void Resume(Role last);
  // The whole turn: header, text, footer.
  TurnTokens Turn(Role role, std::string_view text);
  // The tokens that make the model answer; the tokens that end its answer.
  std::vector<TokenId> AnswerHeader() const;
  std::vector<TokenId> AnswerFooter() const { return Footer(Role::kAssistant); }
  // The tokens that end a turn.
  std::vector<TokenId> Footer(Role role) const;

 private:
  void AddTemplate(std::string_view text, TurnTokens* turn) const;

  const Tokenizer* tokenizer_;
  const ChatTemplate* template_;
  bool begun_ = false;
  bool user_turn_open_ = false;  // a joined system text has already written the user's header
};

}  // namespace anabranch
