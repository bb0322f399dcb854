// Export and import of a SQLite memory.
#include <fmt/format.h>

#include "memory/export_format.h"
#include "memory/import.h"
#include "memory/sqlite_memory.h"

namespace anabranch {

Result<void> SqliteMemory::Export(const std::string& stream, const LineSink& sink) {
  for (const auto& [name, writer] : open_) RETURN_IF_ERROR(writer->Sync());
  ASSIGN_OR_RETURN(const Snapshot snapshot, Snapshot::Begin(db_.get()));
  ASSIGN_OR_RETURN(const std::vector<StreamRow> streams, Streams(stream));
  RETURN_IF_ERROR(sink(FormatExportLine(ExportHeader{})));
  for (const StreamRow& row : streams) {
    RETURN_IF_ERROR(sink(FormatExportLine(ExportStream{row.name, row.tokenizer})));
    int64_t records = 0;
    RETURN_IF_ERROR(JournalStore(db_.get(), row.id)
                        .ForEach(kAllPositions, [&](StoredRecord record) -> Result<void> {
                          ++records;
                          return sink(FormatExportLine(std::move(record)));
                        }));
    RETURN_IF_ERROR(sink(FormatExportLine(ExportEnd{records})));
  }
  return {};
}

Result<StreamsReport> SqliteMemory::Import(const LineSource& next, const ImportPlan& plan) {
  RETURN_IF_ERROR(CheckServer());
  RETURN_IF_ERROR(embedder_.Prepare());
  const ClaimFn claim = [this](const std::string& name) -> Result<StreamLock> {
    ASSIGN_OR_RETURN(StreamLock lock, Lock(name));
    if (server_ == nullptr) return lock;
    ASSIGN_OR_RETURN(const bool there, server_->Has(name));
    if (!there) return lock;
    return Fail(ErrorKind::kInvalid, "",
                fmt::format("{} has a stream '{}' already", server_->location(), name),
                "give it another name with --stream");
  };
  ASSIGN_OR_RETURN(const std::vector<ImportedStream> imported,
                   ImportStreams(db_.get(), next, plan, claim));
  std::vector<std::string> names;
  for (const ImportedStream& stream : imported) names.push_back(stream.name);
  return IndexStreams(names, plan.on_step);
}

}  // namespace anabranch
