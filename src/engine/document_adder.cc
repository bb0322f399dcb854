#include "engine/document_adder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/wall_clock.h"
#include "stream/resume.h"

namespace anabranch {
namespace {

// Text that is written in one transaction and indexed at once.
constexpr int64_t kGroupBytes = 16 << 10;
constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::string_view kAfterName = "\n\n";

// The bytes of a document that come next.
class LookAhead {
 public:
  explicit LookAhead(const Document& document) : document_(document) {}

  // At least n bytes that were not dropped, fewer only at the end.
  Result<std::string_view> Peek(size_t n) {
    while (!at_end_ && buffer_.size() - begin_ < n) {
      buffer_.erase(0, std::exchange(begin_, 0));
      const size_t size = buffer_.size();
      buffer_.resize(size + DocumentCutter::kLookAhead);
      const Result<size_t> read = document_.read(std::span(buffer_).subspan(size));
      buffer_.resize(size + read.value_or(0));
      if (!read) return tl::make_unexpected(read.error());
      at_end_ = *read == 0;
    }
    return std::string_view(buffer_).substr(begin_);
  }
  void Drop(size_t n) { begin_ += n; }

 private:
  const Document& document_;
  std::string buffer_;
  size_t begin_ = 0;
  bool at_end_ = false;
};

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

}  // namespace

struct DocumentAdder::Adding {
  const Document& document;
  int64_t time_ms = 0;
  int64_t bytes = 0;                        // Document::bytes without a byte order mark
  int64_t from = 0;                         // bytes that the stream has already
  std::map<int64_t, int64_t> text_at = {};  // Stored::text_at
  DocumentReport report = {};

  DocumentCutter cutter{document.format};
  int64_t at = 0;                              // of the next piece
  std::optional<int64_t> name_at = {};         // in the journal's text
  std::map<int64_t, int64_t> heading_at = {};  // of the headings that the piece stands under

  int64_t name_size() const {
    return static_cast<int64_t>(document.name.size() + kAfterName.size());
  }
  // Says where the headings of the last piece, from byte `begin` of the document on, stand in the
  // journal: `shift` bytes further.
  void PlaceHeadings(int64_t begin, std::optional<int64_t> shift) {
    std::map<int64_t, int64_t> placed;
    for (const Heading& heading : cutter.headings()) {
      if (heading.begin >= begin) {
        if (shift) placed[heading.begin] = heading.begin + *shift;
      } else if (const auto known = heading_at.find(heading.begin); known != heading_at.end()) {
        placed.insert(*known);
      }
    }
    heading_at = std::move(placed);
  }
  std::vector<std::string> Title() const {
    std::vector<std::string> title;
    if (name_at) title.push_back(TitleReference({*name_at, document.name}));
    for (const Heading& heading : cutter.headings()) {
      const auto place = heading_at.find(heading.begin);
      if (place != heading_at.end()) title.push_back(TitleReference({place->second, heading.text}));
    }
    return title;
  }
};

Result<DocumentAdder> DocumentAdder::Open(const ModelTurns& turns, StreamMemory* memory,
                                          const std::atomic<bool>* cancel, ProgressFn on_progress,
                                          int64_t total_bytes) {
  DocumentAdder adder(turns.Encoder(), memory, cancel, std::move(on_progress), total_bytes);
  RETURN_IF_ERROR(CloseOpenTurn(adder.encoder_, NowMs(), memory));
  RETURN_IF_ERROR(adder.ReadJournal());
  if (!adder.empty_) adder.encoder_.Resume(adder.last_role_);
  return adder;
}

Result<void> DocumentAdder::ReadJournal() {
  turn_ = memory_->next_turn() - 1;
  return memory_->Read({StreamPos(0), memory_->journal_end()},
                       [this](const StoredRecord& stored) -> Result<void> {
                         empty_ = false;
                         end_ = stored.end;
                         text_end_ = stored.text_end();
                         last_role_ = stored.record.role;
                         Note(stored.record, stored.text_begin);
                         return {};
                       });
}

void DocumentAdder::Note(const JournalRecord& record, std::optional<int64_t> text_begin) {
  const std::optional<DocumentCursor> cursor = ParseDocumentCursor(record.source_cursor);
  if (!cursor || cursor->contents.empty()) return;
  Stored& document = stored_[cursor->contents];
  document.end = std::max(document.end, cursor->end);
  document.whole = document.whole || cursor->whole();
  if (record.turn != document.last_turn) ++document.turns;
  if (document.first_turn < 0) {
    document.first_turn = record.turn;
    document.span.begin = record.begin;
  }
  document.last_turn = record.turn;
  document.span.end = record.end();
  if (record.kind == RecordKind::kText) {
    document.has_text = true;
    if (text_begin) document.text_at.try_emplace(cursor->begin, *text_begin);
  }
  if (document.whole) document.text_at.clear();
  if (!cursor->path.empty()) latest_[cursor->path] = cursor->contents;
}

std::optional<StreamSpan> DocumentAdder::Earlier(const Document& document) const {
  if (document.path.empty()) return std::nullopt;
  const auto contents = latest_.find(HashOf(document.path));
  if (contents == latest_.end() || contents->second == document.contents) return std::nullopt;
  const Stored& earlier = stored_.at(contents->second);
  if (!earlier.has_text) return std::nullopt;
  const bool alone = earlier.turns == earlier.last_turn - earlier.first_turn + 1;
  return alone ? std::optional(earlier.span) : std::nullopt;
}

Result<DocumentReport> DocumentAdder::Add(const Document& document) {
  Adding adding{.document = document,
                .time_ms = document.time_ms != 0 ? document.time_ms : NowMs()};
  DocumentReport& report = adding.report;
  report.name = document.name;
  report.earlier = Earlier(document);
  if (const auto known = stored_.find(document.contents); known != stored_.end()) {
    Stored& stored = known->second;
    if (!stored.has_text) {
      stored_.erase(known);  // all of it was forgotten
    } else if (stored.whole) {
      report.state = DocumentState::kUnchanged;
      done_bytes_ += document.bytes;
      return report;
    } else {
      report.state = DocumentState::kContinued;
      adding.from = stored.end;
      adding.text_at = std::move(stored.text_at);
    }
  }
  const Result<void> added = AddPieces(&adding);
  const Result<void> synced = memory_->Sync();
  if (!added) {
    Error error = added.error();
    if (error.kind == ErrorKind::kInterrupted && synced) {
      error.what = document.name;
      error.fault = fmt::format("was added up to byte {}", std::max(adding.from, adding.at));
    }
    return tl::make_unexpected(error);
  }
  RETURN_IF_ERROR(synced);
  done_bytes_ += document.bytes;
  if (report.turns == 0) {
    report.state = adding.from > 0 ? DocumentState::kUnchanged : DocumentState::kEmpty;
  }
  return report;
}

Result<void> DocumentAdder::AddPieces(Adding* adding) {
  const Document& document = adding->document;
  LookAhead ahead(document);
  ASSIGN_OR_RETURN(const std::string_view head, ahead.Peek(kBom.size()));
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
    return Fail(ErrorKind::kUnsupported, document.name, "is UTF-16 text",
                "convert it: iconv -f UTF-16 -t UTF-8");
  }
  const size_t bom = head.starts_with(kBom) ? kBom.size() : 0;
  ahead.Drop(bom);
  if (document.bytes > 0) adding->bytes = document.bytes - static_cast<int64_t>(bom);
  if (!adding->text_at.empty()) adding->name_at = adding->text_at.begin()->second;
  while (true) {
    if (cancel_ != nullptr && *cancel_) {
      return Fail(ErrorKind::kInterrupted, document.name, "was interrupted");
    }
    ASSIGN_OR_RETURN(const std::string_view bytes, ahead.Peek(DocumentCutter::kLookAhead));
    if (bytes.empty()) break;
    const std::string_view piece = bytes.substr(0, adding->cutter.Next(bytes));
    RETURN_IF_ERROR(AddPiece(piece, adding));
    ahead.Drop(piece.size());
    Report(adding->at);
  }
  if (adding->bytes == 0 || adding->at == adding->bytes) return {};
  return Fail(ErrorKind::kInvalid, document.name, "changed while it was read", "add it again");
}

Result<void> DocumentAdder::AddPiece(std::string_view piece, Adding* adding) {
  const int64_t begin = adding->at, end = begin + static_cast<int64_t>(piece.size());
  if (const size_t nul = piece.find('\0'); nul != std::string_view::npos) {
    return Fail(
        ErrorKind::kUnsupported, adding->document.name,
        fmt::format("holds a NUL byte at {}: this is not text", begin + static_cast<int64_t>(nul)),
        "give a text file in UTF-8");
  }
  adding->at = end;
  if (end <= adding->from) {  // an earlier call added it
    const auto known = adding->text_at.find(begin);
    std::optional<int64_t> shift;
    if (known != adding->text_at.end()) {
      const bool first = known == adding->text_at.begin();
      shift = known->second + (first ? adding->name_size() : 0) - begin;
    }
    adding->PlaceHeadings(begin, shift);
    return {};
  }
  const int64_t skip = std::max<int64_t>(0, adding->from - begin);
  piece.remove_prefix(static_cast<size_t>(skip));
  return IsBlank(piece) ? Result<void>() : AddTurn(piece, begin + skip, adding);
}

Result<void> DocumentAdder::AddTurn(std::string_view body, int64_t begin, Adding* adding) {
  const int64_t text_begin = empty_ ? 0 : text_end_ + 1;
  std::string text;
  // The first turn says what the document is called.
  if (adding->from == 0 && adding->report.turns == 0) {
    text = adding->document.name + std::string(kAfterName);
    adding->name_at = text_begin;
  }
  adding->PlaceHeadings(begin, text_begin + static_cast<int64_t>(text.size()) - begin);
  text += body;

  const TurnTokens turn = encoder_.Turn(Role::kUser, text);
  const std::string cursor = FormatDocumentCursor({
      .contents = adding->document.contents,
      .path = adding->document.path.empty() ? "" : HashOf(adding->document.path),
      .begin = begin,
      .end = begin + static_cast<int64_t>(body.size()),
      .bytes = adding->bytes,
      .title = adding->Title(),
  });
  ++turn_;
  bool said = false;
  for (JournalRecord& record : RecordsOf(turn, 0, turn.size())) {
    record.turn = turn_;
    record.role = Role::kUser;
    record.begin = end_ + record.begin.value();
    record.time_ms = adding->time_ms;
    // What ends the turn has it too: it is left when the text is forgotten.
    said = said || record.kind == RecordKind::kText;
    if (said) record.source_cursor = cursor;
    Note(record, std::nullopt);
    RETURN_IF_ERROR(memory_->Append(std::move(record)));
  }
  empty_ = false;
  end_ += turn.size();
  text_end_ = text_begin + static_cast<int64_t>(text.size());
  DocumentReport& report = adding->report;
  ++report.turns;
  report.tokens += turn.size();
  report.bytes += static_cast<int64_t>(body.size());
  unindexed_bytes_ += static_cast<int64_t>(text.size());
  return unindexed_bytes_ < kGroupBytes ? Result<void>() : Index();
}

Result<void> DocumentAdder::Index() {
  unindexed_bytes_ = 0;
  RETURN_IF_ERROR(memory_->Sync());
  return memory_->Index(/*end_of_turn=*/false);
}

void DocumentAdder::Report(int64_t bytes) const {
  if (on_progress_)
    on_progress_({.stage = "add", .done = done_bytes_ + bytes, .total = total_bytes_});
}

}  // namespace anabranch
