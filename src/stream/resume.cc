#include "stream/resume.h"

#include <algorithm>
#include <limits>

#include "memory/document_cursor.h"
#include "memory/journal_store.h"

namespace anabranch {
namespace {

// No chat template has a longer footer.
constexpr int64_t kMaxFooter = 64;

StoredRecord Clipped(const StoredRecord& stored, StreamSpan span) {
  return PartOf(stored, std::max(span.begin, stored.record.begin), std::min(span.end, stored.end));
}

}  // namespace

Result<void> CloseOpenTurn(const TurnEncoder& encoder, int64_t time_ms, StreamMemory* memory) {
  const StreamPos end = memory->journal_end();
  const StreamSpan tail = {std::max(StreamPos(0), end - kMaxFooter), end};
  JournalRecord close;
  std::vector<TokenId> last;  // the template tokens that the journal ends with
  bool missing = true;
  RETURN_IF_ERROR(memory->Read(tail, [&](const StoredRecord& stored) -> Result<void> {
    const JournalRecord record = Clipped(stored, tail).record;
    missing = IsMissing(record.kind);
    if (missing || record.kind == RecordKind::kText || record.turn != close.turn) last.clear();
    if (!missing && record.kind != RecordKind::kText) {
      last.insert(last.end(), record.ids.begin(), record.ids.end());
    }
    close.turn = record.turn;
    close.role = record.role;
    return {};
  }));
  // Nothing before missing text is in a window, so there is no turn to end.
  if (missing) return {};
  const std::vector<TokenId> footer = encoder.Footer(close.role);
  auto n = static_cast<std::ptrdiff_t>(std::min(footer.size(), last.size()));
  while (!std::equal(footer.begin(), footer.begin() + n, last.end() - n)) --n;
  close.ids.assign(footer.begin() + n, footer.end());
  if (close.ids.empty()) return {};
  close.kind = RecordKind::kInterrupted;
  close.begin = end;
  close.time_ms = time_ms;
  RETURN_IF_ERROR(memory->Append(std::move(close)));
  return memory->Sync();
}

Result<JournalledStart> FindStart(const StreamMemory& memory, int64_t n_ctx,
                                  const std::function<int64_t(const std::string&)>& n_pinned) {
  const StreamPos end = memory.journal_end();
  for (StreamPos at(0); at < end;) {
    JournalledStart start;
    StreamPos behind = at;                                         // where to look next
    StreamPos first_missing(std::numeric_limits<int64_t>::max());  // once it has begun
    int64_t turn = -1;
    RETURN_IF_ERROR(memory.Read({at, at + n_ctx}, [&](const StoredRecord& stored) -> Result<void> {
      const JournalRecord& record = stored.record;
      if (IsMissing(record.kind)) {
        if (!start.empty) first_missing = std::min(first_missing, record.begin);
        if (start.empty || first_missing == record.begin) behind = stored.end;
        return {};
      }
      if (start.empty) {
        start.empty = false;
        start.first = record.begin;
        turn = record.turn;
      }
      if (record.turn == turn && record.role == Role::kSystem) start.system += record.bytes;
      return {};
    }));
    if (!start.empty && first_missing >= start.first + n_pinned(start.system)) return start;
    if (behind == at) break;
    at = behind;
  }
  return JournalledStart{true, end, ""};
}

Result<JournalledTokens> ReadTokensOf(const StreamMemory& memory, StreamSpan span) {
  JournalledTokens tokens;
  tokens.begin = span.begin;
  int64_t user_turn = -1;
  RETURN_IF_ERROR(memory.Read(span, [&](const StoredRecord& stored) -> Result<void> {
    const JournalRecord record = Clipped(stored, span).record;
    tokens.last_role = record.role;
    if (IsMissing(record.kind)) {
      tokens.begin = std::min(span.end, stored.end);
      tokens.ids.clear();
      return {};
    }
    tokens.ids.insert(tokens.ids.end(), record.ids.begin(), record.ids.end());
    // A document is nobody's question.
    if (record.role != Role::kUser || IsDocumentCursor(record.source_cursor)) return {};
    if (record.turn != user_turn) tokens.last_user_turn.clear();
    user_turn = record.turn;
    tokens.last_user_turn += record.bytes;
    return {};
  }));
  return tokens;
}

}  // namespace anabranch
