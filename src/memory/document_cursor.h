// What the journal keeps of a document beside its text: the source cursor of a turn that is a piece
// of one. It holds no text, only where the document's name and the headings of the piece stand in
// the journal, so that what is forgotten is not named any more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace anabranch {

// Text of the journal, by its text coordinates (memory/unit.h), that is shown only as long as it is
// still the same: a journal that is written anew may have other coordinates.
struct TitlePart {
  int64_t text_begin = 0;
  std::string text;
};

struct DocumentCursor {
  std::string contents{};            // Document::contents; "": not known
  std::string path{};                // HashOf its path; "": none
  int64_t begin = 0, end = 0;        // bytes of the document that the turn holds
  int64_t bytes = 0;                 // of the document; 0: not known
  std::vector<std::string> title{};  // TitleReference each: its name and headings, outermost first
  bool whole() const { return bytes > 0 && end == bytes; }
};

// "xxh3:" and 16 hex digits.
std::string HashOf(std::string_view text);
// "COORDINATE:BYTES:HASH".
std::string TitleReference(const TitlePart& part);

// "document CONTENTS PATH BEGIN END BYTES TITLE…"; what is not known is "-".
std::string FormatDocumentCursor(const DocumentCursor& cursor);
// nullopt: the cursor is of something else.
std::optional<DocumentCursor> ParseDocumentCursor(std::string_view cursor);
// True of a turn that is a piece of a document. Such a turn is a text of its own: no sentence and
// no passage goes beyond it.
bool IsDocumentCursor(std::string_view cursor);

// "house.md > Boiler": what a cursor's title says, as far as the journal still says it. "":
// nothing, or no document. `text` reads the journal's text [begin, end).
Result<std::string> ReadTitle(
    std::string_view cursor,
    const std::function<Result<std::string>(int64_t begin, int64_t end)>& text);

}  // namespace anabranch
