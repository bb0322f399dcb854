// The lines of an export: JSON objects, in UTF-8 (docs/formats.md). What comes in may be anything.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "memory/journal_store.h"

namespace anabranch {

inline constexpr int64_t kExportVersion = 1;

struct ExportHeader {
  int64_t version = kExportVersion;
};
struct ExportStream {
  std::string name, tokenizer;
};
struct ExportEnd {
  int64_t records = 0;
};
using ExportLine = std::variant<ExportHeader, ExportStream, StoredRecord, ExportEnd>;

// With its line end.
std::string FormatExportLine(const ExportLine& line);
// Without its line end. Error kCorrupt, with no place: no such line. Of a record, only the form is
// checked and RecordFault, not how it continues the one before.
Result<ExportLine> ParseExportLine(std::string_view line);

}  // namespace anabranch
