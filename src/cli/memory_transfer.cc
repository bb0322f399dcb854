#include "cli/memory_transfer.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "anabranch/engine.h"
#include "cli/input.h"
#include "cli/memory_streams.h"
#include "cli/option_types.h"

namespace anabranch::cli {
namespace {

// A record is some 4,096 tokens; one that was not written by us may be longer.
constexpr size_t kLongestLine = size_t{256} << 20;

struct TransferFlags {
  StoreFlags store;
  std::string stream, file = "-";
  std::optional<std::string> embedder;
  ModelFlags model;
  bool retokenize = false;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Failure CannotWrite(const std::string& path) {
  return Fail(ErrorKind::kIo, path, std::strerror(errno), "check the path and the disk");
}

// Error kInvalid: what is there is a database: a memory, most likely the one that is exported.
Result<void> CheckNoDatabase(const std::string& path) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  std::string begin(kMagic.size(), ' ');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(begin.data(), static_cast<std::streamsize>(begin.size())) || begin != kMagic) {
    return {};
  }
  return Fail(ErrorKind::kInvalid, path, "is a database, which the export would overwrite",
              "name another file");
}

Result<void> ExportTo(const TransferFlags& flags, CommandContext& context) {
  Result<std::unique_ptr<MemoryFile>> memory = OpenMemoryFile(flags.store, "", context);
  if (!memory) return tl::unexpected(memory.error());
  std::unique_ptr<std::FILE, CloseFile> file;
  if (flags.file != "-") {
    if (Result<void> sound = CheckNoDatabase(flags.file); !sound) return sound;
    file.reset(std::fopen(flags.file.c_str(), "wb"));
    if (!file) return CannotWrite(flags.file);
  }
  Result<void> done = (*memory)->Export(flags.stream, [&](std::string_view line) -> Result<void> {
    if (*context.cancel) return Fail(ErrorKind::kInterrupted, "export", "was interrupted");
    if (!file) {
      context.terminal.Out(line);
      return {};
    }
    if (std::fwrite(line.data(), 1, line.size(), file.get()) == line.size()) return {};
    return CannotWrite(flags.file);
  });
  if (!done) return done;
  if (file && std::fclose(file.release()) != 0) return CannotWrite(flags.file);
  return {};
}

Result<void> ImportFrom(const TransferFlags& flags, CommandContext& context) {
  ImportOptions options{.stream = flags.stream, .cancel = context.cancel};
  if (flags.retokenize) {
    Result<TurnFormat> format = FindTurnFormat(flags.model, context);
    if (!format) return tl::unexpected(format.error());
    options.retokenize = *std::move(format);
  }
  Result<std::string> embedder = FindEmbedder(flags.embedder, context);
  if (!embedder) return tl::unexpected(embedder.error());
  Result<Input> input = OpenInput(flags.file, "", context.cancel);
  if (!input) return tl::unexpected(input.error());
  Result<EngineOptions> place = PlaceMemoryFile(flags.store, *embedder, context);
  if (!place) return tl::unexpected(place.error());
  Result<std::unique_ptr<MemoryFile>> memory = MemoryFile::OpenOrCreate(*place);
  if (!memory) return tl::unexpected(memory.error());
  InputBuffer lines(*std::move(input));
  Result<StreamsReport> report =
      (*memory)->Import([&] { return lines.Line(kLongestLine); }, options);
  if (!report) return tl::unexpected(report.error());
  ShowStreams(*report, context);
  return {};
}

Result<void> CheckImport(const TransferFlags& flags) {
  if (!flags.retokenize || !flags.stream.empty()) return {};
  return Fail(ErrorKind::kInvalid, "--retokenize", "makes a new stream, which has no name yet",
              "name it with --stream");
}

}  // namespace

void AddMemoryTransfer(CommandLine& line, CLI::App& group) {
  const auto flags = std::make_shared<TransferFlags>();
  CLI::App& out = AddStoreCommand(
      line, group,
      {.name = "export",
       .description = "Write streams as JSON Lines",
       .store = &flags->store,
       .run = [flags](CommandContext& context) { return ExportTo(*flags, context); },
       .cancels = true});
  out.add_option("file", flags->file, "Where to, -: stdout [-]")->type_name("FILE");
  AddStreamName(out, flags->stream, "Only this stream [all]");
  CLI::App& in = AddStoreCommand(
      line, group,
      {.name = "import",
       .description = "Read streams that export wrote, each whole or not at all",
       .store = &flags->store,
       .run = [flags](CommandContext& context) { return ImportFrom(*flags, context); },
       .usage = [flags] { return CheckImport(*flags); },
       .cancels = true});
  in.add_option("file", flags->file, "Where from, -: stdin [-]")->type_name("FILE");
  AddStreamName(in, flags->stream, "Another name for its only stream [its own]");
  AddSwitch(in, "--retokenize", flags->retokenize,
            "Write the text anew, at new positions, for --model and its template");
  AddTurnFormat(in, flags->model, "GGUF model to write for");
  AddEmbedderName(in, flags->embedder);
}

}  // namespace anabranch::cli
