#include "cli/memory_add.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "anabranch/engine.h"
#include "cli/document_file.h"
#include "cli/memory_streams.h"
#include "cli/option_types.h"

namespace anabranch::cli {
namespace {

struct AddFlags {
  StoreFlags store;
  std::string stream = "default", format = "auto";
  std::vector<std::string> files;
  std::optional<std::string> embedder;
  ModelFlags model;
};

const char* StateName(DocumentState state) {
  switch (state) {
    case DocumentState::kAdded:
      return "added";
    case DocumentState::kContinued:
      return "continued";
    case DocumentState::kUnchanged:
      return "unchanged";
    case DocumentState::kEmpty:
      return "empty";
  }
  return "unknown";
}

std::string Counted(int64_t n, const char* what) {
  return fmt::format("{} {}{}", WithThousands(n), what, n == 1 ? "" : "s");
}

std::string DocumentText(const DocumentReport& report) {
  switch (report.state) {
    case DocumentState::kUnchanged:
      return report.name + ": is there already\n";
    case DocumentState::kEmpty:
      return report.name + ": holds no text\n";
    case DocumentState::kContinued:
    case DocumentState::kAdded:
      break;
  }
  return fmt::format("{}: {}{}, {}\n", report.name,
                     report.state == DocumentState::kContinued ? "the rest, " : "",
                     Counted(report.turns, "turn"), Counted(report.tokens, "token"));
}

// One file on its way in.
class Adding {
 public:
  Adding(const AddFlags& flags, std::vector<DocumentFile> files, CommandContext& context)
      : flags_(flags), files_(std::move(files)), context_(context) {}

  Result<std::optional<Document>> Next() {
    if (next_ == files_.size()) return std::optional<Document>();
    const DocumentFile& file = files_[next_++];
    std::optional<DocumentFormat> format;
    if (flags_.format == "text") format = DocumentFormat::kText;
    if (flags_.format == "markdown") format = DocumentFormat::kMarkdown;
    Result<Document> document = OpenDocument(file, format, context_.cancel);
    if (!document) return tl::unexpected(document.error());
    return std::optional<Document>(*std::move(document));
  }

  void Show(const DocumentReport& report) {
    const DocumentFile& file = files_[next_ - 1];
    Terminal& terminal = context_.terminal;
    if (context_.common.json) {
      OrderedJson object = {{"type", "document"},        {"file", file.path},
                            {"name", report.name},       {"state", StateName(report.state)},
                            {"turns", report.turns},     {"tokens", report.tokens},
                            {"text_bytes", report.bytes}};
      if (report.earlier) {
        object["earlier"] = {report.earlier->begin.value(), report.earlier->end.value()};
      }
      terminal.Out(JsonLine(object));
    } else {
      terminal.Out(DocumentText(report));
    }
    if (report.turns > 0 && file.invalid_utf8 > 0) {
      terminal.Note(fmt::format(
          "{}: is not UTF-8 ({} times, first in line {}) and was kept as it is, which is hard to "
          "find; convert it: iconv -f LATIN1 -t UTF-8",
          file.path, WithThousands(file.invalid_utf8), file.first_invalid_line));
    }
    if (!report.earlier) return;
    terminal.Note(fmt::format(
        "{}: another version of it is in the stream, and stays: memory forget --stream '{}' --span "
        "{}:{} --yes forgets that",
        file.path, flags_.stream, report.earlier->begin.value(), report.earlier->end.value()));
  }

 private:
  const AddFlags& flags_;
  const std::vector<DocumentFile> files_;
  CommandContext& context_;
  size_t next_ = 0;
};

void ShowReport(const AddReport& report, CommandContext& context) {
  if (context.common.json) {
    context.terminal.Out(JsonLine({{"type", "added"},
                                   {"stream", report.stream.name},
                                   {"documents", report.documents},
                                   {"unchanged", report.unchanged},
                                   {"empty", report.empty},
                                   {"turns", report.turns},
                                   {"tokens", report.tokens},
                                   {"text_bytes", report.bytes},
                                   {"units", report.units},
                                   {"end", report.stream.end.value()},
                                   {"indexed", report.stream.indexed.value()}}));
  } else {
    context.terminal.Out(fmt::format("{}: {} added, {} there already: {}, {}, {}\n",
                                     report.stream.name, Counted(report.documents, "document"),
                                     WithThousands(report.unchanged), Counted(report.turns, "turn"),
                                     Counted(report.tokens, "token"),
                                     Counted(report.units, "unit")));
  }
  NoteBehind(report.behind, context);
}

// All files are looked through before the first one is added.
Result<std::vector<DocumentFile>> CheckFiles(const AddFlags& flags, CommandContext& context,
                                             int64_t* total_bytes) {
  std::vector<DocumentFile> files;
  for (const std::string& path : flags.files) {
    Result<DocumentFile> file = CheckDocument(path, context.cancel);
    if (!file) return tl::unexpected(file.error());
    *total_bytes += file->bytes;
    files.push_back(*std::move(file));
  }
  const bool known = std::none_of(files.begin(), files.end(),
                                  [](const DocumentFile& file) { return file.contents.empty(); });
  if (!known) *total_bytes = 0;
  return files;
}

Result<void> Add(const AddFlags& flags, CommandContext& context) {
  Result<TurnFormat> format = FindTurnFormat(flags.model, context);
  if (!format) return tl::unexpected(format.error());
  Result<std::string> embedder = FindEmbedder(flags.embedder, context);
  if (!embedder) return tl::unexpected(embedder.error());
  AddOptions options{.stream = flags.stream, .format = *format, .cancel = context.cancel};
  Result<std::vector<DocumentFile>> files = CheckFiles(flags, context, &options.total_bytes);
  if (!files) return tl::unexpected(files.error());
  Result<EngineOptions> place = PlaceMemoryFile(flags.store, *embedder, context);
  if (!place) return tl::unexpected(place.error());
  Result<std::unique_ptr<MemoryFile>> memory = MemoryFile::OpenOrCreate(*place);
  if (!memory) return tl::unexpected(memory.error());
  Adding adding(flags, *std::move(files), context);
  options.next = [&] { return adding.Next(); };
  options.on_document = [&](const DocumentReport& report) { adding.Show(report); };
  Result<AddReport> report = (*memory)->Add(options);
  if (!report) {
    if (report.error().kind == ErrorKind::kInterrupted) {
      context.terminal.Note("interrupted: " + report.error().Message() +
                            "; what was added stays, and the same command goes on");
    }
    return tl::unexpected(report.error());
  }
  if (!report->notice.empty()) context.terminal.Note(report->notice);
  ShowReport(*report, context);
  return {};
}

Result<void> CheckAdd(const AddFlags& flags) {
  if (flags.files.empty()) {
    return Fail(ErrorKind::kInvalid, "memory add", "no document is named",
                "give its file, or - for stdin");
  }
  if (std::count(flags.files.begin(), flags.files.end(), "-") < 2) return {};
  return Fail(ErrorKind::kInvalid, "-", "is given twice, and stdin is read once", "give it once");
}

}  // namespace

void AddMemoryAdd(CommandLine& line, CLI::App& group) {
  const auto flags = std::make_shared<AddFlags>();
  CLI::App& app = AddStoreCommand(
      line, group,
      {.name = "add",
       .description = "Read documents (text, Markdown) into a stream, so that it can be asked",
       .store = &flags->store,
       .run = [flags](CommandContext& context) { return Add(*flags, context); },
       .usage = [flags] { return CheckAdd(*flags); },
       .cancels = true});
  AddWords(app, "file", flags->files,
           "Documents in UTF-8, -: stdin. Those that are there already stay")
      ->type_name("FILE");
  AddStreamName(app, flags->stream);
  AddChoice(app, "--format", flags->format, {"auto", "text", "markdown"},
            "What the documents are [auto: .md and .markdown are Markdown, all else is text]");
  AddTurnFormat(app, flags->model, "GGUF model that will be asked");
  AddEmbedderName(app, flags->embedder);
}

}  // namespace anabranch::cli
