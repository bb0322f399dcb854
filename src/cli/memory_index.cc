#include "cli/memory_index.h"

#include <memory>

#include "anabranch/engine.h"
#include "cli/memory_streams.h"
#include "cli/option_types.h"

namespace anabranch::cli {
namespace {

struct IndexFlags {
  StoreFlags store;
  std::string stream;
  std::optional<std::string> embedder;
};

Result<void> Reindex(const IndexFlags& flags, CommandContext& context) {
  Result<std::string> embedder = FindEmbedder(flags.embedder, context);
  if (!embedder) return tl::unexpected(embedder.error());
  Result<EngineOptions> options = PlaceMemoryFile(flags.store, *embedder, context);
  if (!options) return tl::unexpected(options.error());
  Result<StreamsReport> report = MemoryFile::Reindex(*options, flags.stream, context.cancel);
  if (!report) {
    if (report.error().kind == ErrorKind::kInterrupted) {
      context.terminal.Note("interrupted: the same command goes on with what is built");
    }
    return tl::unexpected(report.error());
  }
  ShowStreams(*report, context);
  return {};
}

}  // namespace

void AddMemoryIndex(CommandLine& line, CLI::App& group) {
  const auto flags = std::make_shared<IndexFlags>();
  CLI::App& app = AddStoreCommand(
      line, group,
      {.name = "reindex",
       .description = "Build the index anew: for another embedder, or as it is damaged",
       .store = &flags->store,
       .run = [flags](CommandContext& context) { return Reindex(*flags, context); },
       .cancels = true});
  AddStreamName(app, flags->stream, "Only this stream [all]");
  AddEmbedderName(app, flags->embedder);
}

}  // namespace anabranch::cli
