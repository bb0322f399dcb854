#include "cli/document_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "cli/conversation.h"
#include "cli/file_place.h"
#include "cli/input.h"
#include "cli/utf8.h"

namespace anabranch::cli {
namespace {

namespace fs = std::filesystem;

// Looks at a file's bytes as they pass.
class Look {
 public:
  explicit Look(DocumentFile* file) : file_(*file) {}

  Result<void> See(std::string_view bytes) {
    if (file_.bytes == 0) {
      if (Result<void> checked = CheckNotUtf16(bytes, file_.path); !checked) return checked;
    }
    file_.bytes += static_cast<int64_t>(bytes.size());
    if (const size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
      const auto line =
          line_ + std::count(rest_.begin(), rest_.end(), '\n') +
          std::count(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(nul), '\n');
      return Fail(ErrorKind::kUnsupported, fmt::format("{}, line {}", file_.path, line),
                  "holds a NUL byte: this is not text", "convert it to text, or leave it out");
    }
    rest_ += bytes;
    Take(TextPieceSize(rest_));
    return {};
  }
  void End() { Take(rest_.size()); }

 private:
  // The first bytes of rest_, which cut no character.
  void Take(size_t size) {
    std::string piece = rest_.substr(0, size);
    const auto line_of = [&](size_t at) {
      return line_ + std::count(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(at), '\n');
    };
    const RepairedUtf8 repaired = RepairUtf8(&piece);
    if (repaired.count > 0 && file_.invalid_utf8 == 0) {
      file_.first_invalid_line = line_of(repaired.first);
    }
    file_.invalid_utf8 += repaired.count;
    line_ = line_of(size);
    rest_.erase(0, size);
  }

  DocumentFile& file_;
  std::string rest_;  // seen, and not taken yet
  int64_t line_ = 1;  // of its first byte
};

bool IsMarkdown(const std::string& path) {
  std::string end = fs::path(path).extension().string();
  std::transform(end.begin(), end.end(), end.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return end == ".md" || end == ".markdown";
}

}  // namespace

Result<DocumentFile> CheckDocument(const std::string& path, const std::atomic<bool>* cancel) {
  DocumentFile file{.path = path};
  if (path == "-") return file;
  struct stat status {};
  const bool is_there = stat(path.c_str(), &status) == 0;
  if (is_there && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return file;  // a pipe
  if (Result<Input> input = OpenInput(path, "", cancel); !input) {
    return tl::unexpected(input.error());  // it cannot be read
  }
  Look look(&file);
  Result<std::string> contents = HashFile(path, [&](std::string_view bytes) -> Result<void> {
    if (*cancel) return Fail(ErrorKind::kInterrupted, path, "reading was stopped");
    return look.See(bytes);
  });
  if (!contents) return tl::unexpected(contents.error());
  look.End();
  file.contents = *std::move(contents);
  file.time_ms = int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1000000;
  return file;
}

Result<Document> OpenDocument(const DocumentFile& file, std::optional<DocumentFormat> format,
                              const std::atomic<bool>* cancel) {
  Result<Input> input = OpenInput(file.path, "", cancel);
  if (!input) return tl::unexpected(input.error());
  const DocumentFormat by_name =
      IsMarkdown(file.path) ? DocumentFormat::kMarkdown : DocumentFormat::kText;
  Document document{.name = DocumentName(file.path),
                    .contents = file.contents,
                    .format = format.value_or(by_name),
                    .bytes = file.bytes,
                    .time_ms = file.time_ms,
                    .read = std::move(input->read)};
  std::error_code error;
  if (!file.contents.empty()) document.path = fs::canonical(file.path, error).string();
  return document;
}

std::string DocumentName(const std::string& path) {
  if (path == "-") return "stdin";
  const fs::path whole = fs::path(path).lexically_normal();
  const fs::path folder = whole.parent_path().filename();
  const bool named = !folder.empty() && folder != "." && folder != "..";
  std::string name = (named ? folder / whole.filename() : whole.filename()).string();
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return name;
}

}  // namespace anabranch::cli
