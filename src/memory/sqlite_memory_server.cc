// A SQLite memory as the journal of a server.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "memory/schema.h"
#include "memory/sqlite_memory.h"
#include "memory/unit_store.h"
#include "text/cutter.h"

namespace anabranch {
namespace {

constexpr std::string_view kServerKey = "server";

// A location without what may change from one day to the next: how to connect to it.
std::string ServerName(const std::string& location) {
  const size_t query = location.find('?');
  std::string name = location.substr(0, query);
  if (query == std::string::npos) return name;
  const size_t host = location.find("host=", query);
  if (host != std::string::npos) {
    name += "?" + location.substr(host, location.find('&', host) - host);
  }
  return name;
}

}  // namespace

Result<void> SqliteMemory::Attach(const std::string& location, const MemoryOptions& options) {
  const std::string name = ServerName(location);
  ASSIGN_OR_RETURN(const std::string theirs, ReadMeta(db_.get(), kServerKey));
  if (!theirs.empty() && theirs != name) {
    return Fail(ErrorKind::kInvalid, db_->name(), "is the journal of " + theirs,
                "name another file with --journal");
  }
  ServerOptions server;
  server.remote.password = options.password;
  server.recall_timeout = options.recall_timeout;
  ASSIGN_OR_RETURN(server_, Server::Create(location, path_, server));
  return theirs.empty() ? WriteMeta(db_.get(), kServerKey, name) : Result<void>();
}

Result<void> SqliteMemory::CheckServer() const {
  if (server_ != nullptr) return {};
  ASSIGN_OR_RETURN(const std::string name, ReadMeta(db_.get(), kServerKey));
  if (name.empty()) return {};
  return Fail(ErrorKind::kInvalid, db_->name(), "is the journal of " + name,
              fmt::format("open it with --memory {} --journal {}", name, db_->name()));
}

RemoteStreamInfo SqliteMemory::AtServer(const std::string& name,
                                        const std::string& tokenizer) const {
  return {.name = name,
          .tokenizer = tokenizer,
          .embedder = embedder_.handle.fingerprint,
          .width = embedder_.handle.width,
          .cutter = kCutterVersion};
}

// A stream that this file knows goes on while the server is away; a new one may be there already.
Result<void> SqliteMemory::OpenAtServer(int64_t stream, const std::string& name,
                                        const std::string& tokenizer) {
  Result<void> opened = server_->drain().Open(stream, AtServer(name, tokenizer));
  // What the server has acknowledged is searched there from now on.
  if (opened) return DrainStore(db_.get(), stream).DropVectors();
  if (opened || opened.error().kind != ErrorKind::kUnavailable) return opened;
  ASSIGN_OR_RETURN(const JournalEnd end, JournalStore(db_.get(), stream).End());
  return end.empty ? opened : Result<void>();
}

Result<std::string> SqliteMemory::AwaitServer(const StepFn& on_step) {
  constexpr std::chrono::milliseconds kStep{100};
  if (server_ == nullptr) return "";
  while (!server_->drain().Flush(kStep)) {
    if (std::string fault = server_->drain().fault(); !fault.empty()) return fault;
    if (on_step) RETURN_IF_ERROR(on_step("server", 0, 0));
  }
  return "";
}

Result<std::string> SqliteMemory::LeftAtServer(std::chrono::milliseconds patience) const {
  if (server_ == nullptr) {
    ASSIGN_OR_RETURN(const std::string name, ReadMeta(db_.get(), kServerKey));
    return fmt::format(
        "{} has been told, which happens when the stream is opened there, and its "
        "files are cleaned (docs/stores.md)",
        name);
  }
  server_->drain().Notify();
  if (server_->drain().Flush(patience)) {
    return fmt::format("the files of {} are cleaned (docs/stores.md)", server_->location());
  }
  const std::string fault = server_->drain().fault();
  return fmt::format(
      "{} has been told, which happens as soon as it answers ({}), and its files "
      "are cleaned (docs/stores.md)",
      server_->location(), fault.empty() ? "it is behind" : fault);
}

Result<void> SqliteMemory::VerifyAtServer(const StreamRow& stream, VerifyReport* report) const {
  const DrainStore drain(db_.get(), stream.id);
  ASSIGN_OR_RETURN(const std::vector<QuarantinedUnit> quarantined, drain.Quarantined());
  for (const QuarantinedUnit& unit : quarantined) {
    report->ok = false;
    report->faults.push_back(fmt::format("{}: the server refused the unit at [{}, {}): {}",
                                         stream.name, unit.span.begin.value(),
                                         unit.span.end.value(), unit.fault));
  }
  if (server_ == nullptr) return {};
  ASSIGN_OR_RETURN(const DrainedTo drained, drain.Drained());
  const UnitStore units(db_.get(), stream.id, stream.name);
  ASSIGN_OR_RETURN(const std::vector<UnitRow> rows, units.Rows());
  std::vector<UnitId> sent, known;
  for (const UnitRow& row : rows) {
    const bool refused = std::any_of(quarantined.begin(), quarantined.end(),
                                     [&](const QuarantinedUnit& q) { return q.key == row.key; });
    known.push_back(units.IdOf(row));
    if (row.key <= drained.unit && !refused) sent.push_back(known.back());
  }
  std::sort(sent.begin(), sent.end());
  std::sort(known.begin(), known.end());
  ASSIGN_OR_RETURN(const std::vector<UnitId> theirs,
                   server_->Ids(AtServer(stream.name, stream.tokenizer)));
  std::vector<UnitId> lacking, foreign;
  std::set_difference(sent.begin(), sent.end(), theirs.begin(), theirs.end(),
                      std::back_inserter(lacking));
  std::set_difference(theirs.begin(), theirs.end(), known.begin(), known.end(),
                      std::back_inserter(foreign));
  if (!lacking.empty() || !foreign.empty()) {
    report->ok = false;
    report->faults.push_back(
        fmt::format("{}: {} lacks {} units that it was sent, and has {} that are not the stream's",
                    stream.name, server_->location(), lacking.size(), foreign.size()));
  }
  return {};
}

}  // namespace anabranch
