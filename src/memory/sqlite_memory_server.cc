// A SQLite memory as the journal of a server.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "memory/schema.h"
#include "memory/server_check.h"
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

std::vector<UnitId> SortedIds(const UnitStore& units, std::span<const UnitRow> rows) {
  std::vector<UnitId> ids;
  for (const UnitRow& row : rows) ids.push_back(units.IdOf(row));
  std::sort(ids.begin(), ids.end());
  return ids;
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
  const auto fault = [&](const std::string& text) {
    report->ok = false;
    report->faults.push_back(stream.name + ": " + text);
  };
  for (const QuarantinedUnit& unit : quarantined) {
    fault(fmt::format("the server refused the unit at [{}, {}): {}", unit.span.begin.value(),
                      unit.span.end.value(), unit.fault));
  }
  if (server_ == nullptr) return {};
  const UnitStore units(db_.get(), stream.id, stream.name);
  const RemoteStreamInfo at_server = AtServer(stream.name, stream.tokenizer);
  ASSIGN_OR_RETURN(const DrainedTo drained, drain.Drained());
  ASSIGN_OR_RETURN(std::vector<UnitRow> sent, units.Rows());
  std::vector<UnitId> known = SortedIds(units, sent);
  ASSIGN_OR_RETURN(const std::vector<UnitId> theirs, server_->Ids(at_server));
  // The stream may go on meanwhile, in another process, too, and the server with it.
  ASSIGN_OR_RETURN(const std::vector<UnitRow> rows, units.Rows());
  const std::vector<UnitId> now = SortedIds(units, rows);
  std::erase_if(sent, [&](const UnitRow& unit) {
    return unit.key > drained.unit ||
           !std::binary_search(now.begin(), now.end(), units.IdOf(unit)) ||
           std::any_of(quarantined.begin(), quarantined.end(),
                       [&](const QuarantinedUnit& refused) { return refused.key == unit.key; });
  });
  known.insert(known.end(), now.begin(), now.end());
  std::sort(known.begin(), known.end());
  const std::vector<UnitId> wanted = SortedIds(units, sent);
  std::vector<UnitId> lacking, foreign;
  std::set_difference(wanted.begin(), wanted.end(), theirs.begin(), theirs.end(),
                      std::back_inserter(lacking));
  std::set_difference(theirs.begin(), theirs.end(), known.begin(), known.end(),
                      std::back_inserter(foreign));
  if (!lacking.empty() || !foreign.empty()) {
    fault(fmt::format("{} lacks {} units that it was sent, and has {} that are not the stream's",
                      server_->location(), lacking.size(), foreign.size()));
    return {};
  }
  std::sort(sent.begin(), sent.end(),
            [](const UnitRow& a, const UnitRow& b) { return a.key < b.key; });
  ASSIGN_OR_RETURN(const std::vector<std::string> damages,
                   FaultsAtServer(server_.get(), at_server, JournalStore(db_.get(), stream.id),
                                  sent, embedder_.handle));
  for (const std::string& damage : damages) fault(damage);
  return {};
}

}  // namespace anabranch
