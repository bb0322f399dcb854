#include "memory/erasure.h"

#include <cstdlib>
#include <string>

#include "memory/schema.h"

namespace anabranch {
namespace {

constexpr std::string_view kErasure = "erasure";
constexpr std::string_view kRemovals = "removals";

}  // namespace

Result<void> MarkForErasure(Database* db) { return WriteMeta(db, kErasure, "pending"); }

Result<bool> FinishErasure(Database* db, std::chrono::milliseconds patience) {
  ASSIGN_OR_RETURN(const std::string state, ReadMeta(db, kErasure));
  if (state.empty()) return true;
  const std::chrono::milliseconds usual = db->patience();
  db->set_patience(patience);
  const Result<int64_t> busy = db->QueryInt("PRAGMA wal_checkpoint(TRUNCATE)");
  db->set_patience(usual);
  if (!busy && busy.error().kind != ErrorKind::kBusy) return tl::make_unexpected(busy.error());
  if (!busy || *busy != 0) return false;
  RETURN_IF_ERROR(WriteMeta(db, kErasure, ""));
  return true;
}

Result<uint64_t> Removals(Database* db) {
  ASSIGN_OR_RETURN(const std::string n, ReadMeta(db, kRemovals));
  return std::strtoull(n.c_str(), nullptr, 10);
}

Result<void> NoteRemoval(Database* db) {
  ASSIGN_OR_RETURN(const uint64_t n, Removals(db));
  return WriteMeta(db, kRemovals, std::to_string(n + 1));
}

}  // namespace anabranch
