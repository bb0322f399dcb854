#include "cli/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/conversation_json.h"
#include "cli/utf8.h"

namespace anabranch::cli {
namespace {

constexpr size_t kSniffBytes = 4096;
constexpr size_t kMaxLineBytes = size_t{64} << 20;
constexpr size_t kMaxListBytes = size_t{1} << 30;
constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::string_view kJsonSpace = " \t\r\n";

std::string_view SkipSpace(std::string_view text) {
  const size_t first = text.find_first_not_of(kJsonSpace);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// What the bytes look like: "[{" and "[]" begin a list, "{\"" an object, and all else is text.
InputFormat Sniff(std::string_view head) {
  head = SkipSpace(head);
  if (head.empty()) return InputFormat::kText;
  const std::string_view next = SkipSpace(head.substr(1));
  if (head.front() == '[' && (next.starts_with('{') || next.starts_with(']'))) {
    return InputFormat::kJsonList;
  }
  if (head.front() == '{' && next.starts_with('"')) return InputFormat::kJsonLines;
  return InputFormat::kText;
}

}  // namespace

size_t TextPieceSize(std::string_view text) {
  for (const std::string_view border : {"\n\n", "\n", " "}) {
    const size_t at = text.rfind(border);
    if (at != std::string_view::npos && at >= text.size() / 2) return at + border.size();
  }
  // No word border: at least no character is cut. A character has at most three trailing bytes.
  size_t size = text.size();
  for (int back = 0; back < 3 && size > 1; ++back, --size) {
    const auto byte = static_cast<unsigned char>(text[size - 1]);
    if (byte < 0x80) return size;
    if (byte >= 0xC0) return size - 1;
  }
  return text.size();
}

Result<ConversationReader> ConversationReader::Open(Input input) {
  ConversationReader reader(std::move(input));
  const std::string& name = reader.name();
  Result<std::string_view> head = reader.bytes_.Peek(kSniffBytes);
  if (!head) return tl::unexpected(head.error());
  if (Result<void> checked = CheckNotUtf16(*head, name); !checked) {
    return tl::unexpected(checked.error());
  }
  if (head->starts_with(kBom)) {
    head->remove_prefix(kBom.size());
    reader.bytes_.Consume(kBom.size());
  }
  const bool text_name = name.ends_with(".txt") || name.ends_with(".md");
  const bool json_name = name.ends_with(".json") || name.ends_with(".jsonl");
  if (json_name) {
    const std::string_view start = SkipSpace(*head);
    if (!start.starts_with('[') && !start.starts_with('{')) {
      return Fail(ErrorKind::kCorrupt, name + ", line 1",
                  start.empty() ? "holds no JSON" : "is neither a JSON list nor a JSON object",
                  R"(give a list of {"role", "content"}, or one such object a line)");
    }
    reader.format_ = start.front() == '[' ? InputFormat::kJsonList : InputFormat::kJsonLines;
  } else if (!text_name) {
    reader.format_ = Sniff(*head);
  }
  if (reader.format_ == InputFormat::kJsonList) {
    Result<void> read = reader.ReadList();
    if (!read) return tl::unexpected(read.error());
  }
  return reader;
}

Result<void> ConversationReader::ReadList() {
  Result<std::string_view> all = bytes_.Peek(kMaxListBytes + 1);
  if (!all) return tl::unexpected(all.error());
  if (all->size() > kMaxListBytes) {
    return Fail(ErrorKind::kLimit, name(),
                fmt::format("is a JSON list of more than {} bytes", kMaxListBytes),
                "give it as JSON Lines, which are read as they come");
  }
  Result<std::vector<Turn>> turns = ParseTurns(*all, JsonPlace{.file = name(), .is_list = true});
  if (!turns) return tl::unexpected(turns.error());
  parsed_.assign(std::make_move_iterator(turns->begin()), std::make_move_iterator(turns->end()));
  bytes_.Consume(all->size());
  return {};
}

Result<void> ConversationReader::ReadLine(bool* at_end) {
  const int64_t line_number = bytes_.line();
  Result<std::optional<std::string>> line = bytes_.Line(kMaxLineBytes);
  if (!line) return tl::unexpected(line.error());
  *at_end = !line->has_value();
  if (*at_end || SkipSpace(**line).empty()) return {};
  Result<std::vector<Turn>> turns =
      ParseTurns(**line, JsonPlace{.file = name(), .is_list = false, .line = line_number});
  if (!turns) return tl::unexpected(turns.error());
  parsed_.assign(std::make_move_iterator(turns->begin()), std::make_move_iterator(turns->end()));
  return {};
}

Result<std::optional<Turn>> ConversationReader::NextPiece() {
  Result<std::string_view> bytes = bytes_.Peek(kTextPieceBytes);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->empty()) return std::optional<Turn>();
  std::string_view piece = bytes->substr(0, kTextPieceBytes);
  if (bytes->size() >= kTextPieceBytes) piece = piece.substr(0, TextPieceSize(piece));
  const auto line_of = [&](size_t offset) {
    return bytes_.line() +
           std::count(piece.begin(), piece.begin() + static_cast<ptrdiff_t>(offset), '\n');
  };
  if (const size_t nul = piece.find('\0'); nul != std::string_view::npos) {
    return Fail(ErrorKind::kUnsupported, fmt::format("{}, line {}", name(), line_of(nul)),
                "holds a NUL byte: this is not text", "give a text file in UTF-8");
  }
  Turn turn{.role = Role::kUser, .text = std::string(piece)};
  const RepairedUtf8 repaired = RepairUtf8(&turn.text);
  if (repaired.count > 0 && invalid_utf8_ == 0) first_invalid_line_ = line_of(repaired.first);
  invalid_utf8_ += repaired.count;
  bytes_.Consume(piece.size());
  return std::optional<Turn>(std::move(turn));
}

Result<std::optional<Turn>> ConversationReader::Next() {
  if (format_ == InputFormat::kText) return NextPiece();
  bool at_end = format_ == InputFormat::kJsonList;
  while (parsed_.empty() && !at_end) {
    Result<void> read = ReadLine(&at_end);
    if (!read) return tl::unexpected(read.error());
  }
  if (parsed_.empty()) return std::optional<Turn>();
  std::optional<Turn> turn = std::move(parsed_.front());
  parsed_.pop_front();
  return turn;
}

}  // namespace anabranch::cli
