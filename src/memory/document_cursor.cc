#include "memory/document_cursor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>

#include "memory/journal.h"

namespace anabranch {
namespace {

constexpr std::string_view kMark = "document ";
constexpr std::string_view kNothing = "-";
// Of a title that is read: nobody writes longer ones.
constexpr int64_t kMaxPartBytes = 4096;
constexpr size_t kMaxParts = 7;  // a name, and headings of six levels

// Takes what stands before the next `border`.
std::string_view Next(std::string_view* text, char border) {
  const size_t end = std::min(text->find(border), text->size());
  const std::string_view word = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return word;
}

// A number in [0, kMaxCoordinate).
std::optional<int64_t> Number(std::string_view digits) {
  int64_t number = -1;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || stop != end || number < 0 || number >= kMaxCoordinate) {
    return std::nullopt;
  }
  return number;
}

std::string OrNothing(const std::string& word) {
  return std::string(word.empty() ? kNothing : word);
}
std::string Word(std::string_view word) { return std::string(word == kNothing ? "" : word); }

// 32 bits: it tells what is there from what was there once.
std::string Check(std::string_view text) {
  return fmt::format("{:08x}", static_cast<uint32_t>(XXH3_64bits(text.data(), text.size())));
}

}  // namespace

std::string HashOf(std::string_view text) {
  return fmt::format("xxh3:{:016x}", XXH3_64bits(text.data(), text.size()));
}

std::string TitleReference(const TitlePart& part) {
  return fmt::format("{}:{}:{}", part.text_begin, part.text.size(), Check(part.text));
}

std::string FormatDocumentCursor(const DocumentCursor& cursor) {
  return fmt::format("{}{} {} {} {} {}{}{}", kMark, OrNothing(cursor.contents),
                     OrNothing(cursor.path), cursor.begin, cursor.end, cursor.bytes,
                     cursor.title.empty() ? "" : " ", fmt::join(cursor.title, " "));
}

bool IsDocumentCursor(std::string_view cursor) { return cursor.starts_with(kMark); }

std::optional<DocumentCursor> ParseDocumentCursor(std::string_view text) {
  if (!IsDocumentCursor(text)) return std::nullopt;
  text.remove_prefix(kMark.size());
  DocumentCursor cursor;
  cursor.contents = Word(Next(&text, ' '));
  cursor.path = Word(Next(&text, ' '));
  for (int64_t* number : {&cursor.begin, &cursor.end, &cursor.bytes}) {
    const std::optional<int64_t> parsed = Number(Next(&text, ' '));
    if (!parsed) return std::nullopt;
    *number = *parsed;
  }
  if (cursor.end < cursor.begin) return std::nullopt;
  while (!text.empty()) cursor.title.emplace_back(Next(&text, ' '));
  return cursor;
}

Result<std::string> ReadTitle(
    std::string_view cursor,
    const std::function<Result<std::string>(int64_t begin, int64_t end)>& text) {
  std::optional<DocumentCursor> document = ParseDocumentCursor(cursor);
  std::string title;
  if (!document) return title;
  document->title.resize(std::min(document->title.size(), kMaxParts));
  for (std::string_view reference : document->title) {
    const std::optional<int64_t> begin = Number(Next(&reference, ':'));
    const std::optional<int64_t> size = Number(Next(&reference, ':'));
    if (!begin || !size || *size > kMaxPartBytes) continue;
    ASSIGN_OR_RETURN(std::string part, text(*begin, *begin + *size));
    if (Check(part) != reference) continue;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    std::replace_if(part.begin(), part.end(), is_control, ' ');
    title += (title.empty() ? "" : " > ") + part;
  }
  return title;
}

}  // namespace anabranch
