#include "memory/sqlite_db.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <system_error>
#include <thread>

#include "base/check.h"

namespace anabranch {
namespace {

// Between two looks at whether others are still in the way.
constexpr std::chrono::milliseconds kLook{1};

// Pages of the log from which on a commit moves them into the file.
constexpr int kCheckpointPages = 1000;

// Of connections that write. EXTRA: as FULL, and the rollback journal of a file that is being made
// does not come back after a power cut. secure_delete: what is forgotten leaves no trace in free
// pages. 8 MB of page cache.
constexpr const char* kSettings =
    "PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON; PRAGMA cache_size = -8000;";

Failure SqliteFailure(sqlite3* db, const std::string& name, int code) {
  const std::string fault = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return Fail(ErrorKind::kCorrupt, name, "is no memory file (" + fault + ")",
                  "name another file, or move this one away");
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:  // a statement of ours does not fit what is there
    case SQLITE_MISMATCH:
      return Fail(ErrorKind::kCorrupt, name, "the memory file is damaged (" + fault + ")",
                  "restore it from a copy");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Fail(ErrorKind::kBusy, name, "another process is writing to it (" + fault + ")",
                  "try again");
    case SQLITE_FULL:
      return Fail(ErrorKind::kIo, name, "no space is left (" + fault + ")", "free some disk space");
    case SQLITE_READONLY:
      return Fail(ErrorKind::kIo, name, "cannot be written (" + fault + ")",
                  "check its permissions and those of its folder");
    case SQLITE_TOOBIG:
      return Fail(ErrorKind::kLimit, name, fault);
    default:
      return Fail(ErrorKind::kIo, name, fault, "check the file, its folder and the disk");
  }
}

}  // namespace

void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::Return::operator()(sqlite3_stmt* statement) const {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  std::unique_ptr<sqlite3_stmt, Database::Finalize> idle(statement);
  --db->n_statements_;
  constexpr size_t kMostIdle = 100;
  if (db->idle_.size() < kMostIdle) db->idle_.emplace(sqlite3_sql(statement), std::move(idle));
}

Statement& Statement::Bind(int index, int64_t value) {
  ANABRANCH_CHECK(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::BindText(int index, std::string_view value) {
  const int code = sqlite3_bind_text64(statement_.get(), index, value.data() ? value.data() : "",
                                       value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  ANABRANCH_CHECK(code == SQLITE_OK || code == SQLITE_TOOBIG);  // too big: NULL, which Step refuses
  return *this;
}

Statement& Statement::BindBlob(int index, std::span<const std::byte> value) {
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  const int code =
      sqlite3_bind_blob64(statement_.get(), index, data, value.size(), SQLITE_TRANSIENT);
  ANABRANCH_CHECK(code == SQLITE_OK || code == SQLITE_TOOBIG);
  return *this;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  statement_.get_deleter().db->EndWait();
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  Failure failure = statement_.get_deleter().db->Fault();
  sqlite3_reset(statement_.get());
  return failure;
}

Result<void> Statement::Run() {
  ASSIGN_OR_RETURN(const bool row, Step());
  if (row) sqlite3_reset(statement_.get());
  return {};
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::Text(int column) const {
  const auto blob = Blob(column);
  return {reinterpret_cast<const char*>(blob.data()), blob.size()};
}

std::span<const std::byte> Statement::Blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::span<const std::byte>{}
                         : std::span(data, static_cast<size_t>(size));
}

void Database::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

Database::~Database() {
  // Otherwise closing it would sync what has failed to.
  static_cast<void>(Renew());
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, const std::string& name) {
  std::unique_ptr<Database> database(new Database(name));
  database->path_ = path;
  ASSIGN_OR_RETURN(database->db_, database->ConnectToWrite());
  if (path == ":memory:") database->path_.clear();
  if (!database->path_.empty()) {
    // As SQLite has resolved it: links to a file lead to one queue.
    const char* file = sqlite3_db_filename(database->db_.get(), "main");
    database->queue_ = WriterQueue(std::string(file) + "-queue");
  }
  return database;
}

Result<Database::Connection> Database::ConnectToWrite() {
  ASSIGN_OR_RETURN(Connection db,
                   Connect(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr));
  const int code = sqlite3_exec(db.get(), kSettings, nullptr, nullptr, nullptr);
  EndWait();
  if (code != SQLITE_OK) return SqliteFailure(db.get(), name_, code);
  sqlite3_wal_hook(db.get(), Checkpoint, this);
  return db;
}

// As SQLite does it by itself, but that a failure is noticed.
int Database::Checkpoint(void* self, sqlite3* db, const char* schema, int pages) {
  if (pages < kCheckpointPages) return SQLITE_OK;
  static_cast<Database*>(self)->NoteCode(
      sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr));
  return SQLITE_OK;  // what was committed is in the log
}

void Database::NoteCode(int code) {
  if ((code & 0xff) != SQLITE_IOERR || path_.empty()) return;
  io_failed_ = true;
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Result<void> Database::Renew() {
  if (!io_failed_ || n_statements_ > 0 || sqlite3_get_autocommit(db_.get()) == 0) return {};
  ASSIGN_OR_RETURN(Connection fresh, ConnectToWrite());
  idle_.clear();
  std::swap(db_, fresh);  // both are open: the index of the log lives on
  io_failed_ = false;
  return {};
}

Result<std::unique_ptr<Database>> Database::OpenToRead(const std::string& path,
                                                       const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::exists(path + "-shm", error)) return OpenWith(path, name, SQLITE_OPEN_READONLY, nullptr);
  const auto log_size = fs::file_size(path + "-wal", error);
  if (error || log_size == 0) {
    // Without a log the file is all there is; SQLite would make a log to look.
    std::string uri = "file:";
    for (const char c : path) {
      uri += c == '%' || c == '?' || c == '#' ? fmt::format("%{:02x}", c) : std::string(1, c);
    }
    return OpenWith(uri + "?immutable=1", name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  }
  // Without locks, the index of the log is in RAM and not in a -shm file.
  ASSIGN_OR_RETURN(auto db, OpenWith(path, name, SQLITE_OPEN_READONLY, "unix-none"));
  RETURN_IF_ERROR(db->Exec("PRAGMA locking_mode = EXCLUSIVE"));
  return db;
}

Result<std::unique_ptr<Database>> Database::OpenWith(const std::string& path,
                                                     const std::string& name, int flags,
                                                     const char* vfs) {
  std::unique_ptr<Database> database(new Database(name));
  ASSIGN_OR_RETURN(database->db_, database->Connect(path, flags, vfs));
  // Without locks SQLite would remove a log that it finds nothing in.
  sqlite3_db_config(database->db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return database;
}

Result<Database::Connection> Database::Connect(const std::string& path, int flags,
                                               const char* vfs) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, vfs);
  Connection connection(db);
  if (code != SQLITE_OK) return SqliteFailure(db, name_, code);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_handler(db, OnBusy, this);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return connection;
}

Failure Database::Fault() {
  const int code = sqlite3_extended_errcode(db_.get());
  Failure failure = SqliteFailure(db_.get(), name_, code);
  NoteCode(code);
  return failure;
}

Result<void> Database::Exec(const char* sql) {
  RETURN_IF_ERROR(Renew());
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  EndWait();
  return code == SQLITE_OK ? Result<void>() : Fault();
}

Result<void> Database::BeginToWrite() {
  if (queue_.IsThere()) {
    while (!(queue_.Join() && queue_.IsFirst()) && Wait()) continue;
  }
  begins_ = true;
  Result<void> begun = Exec("BEGIN IMMEDIATE");
  begins_ = false;
  return begun;
}

int Database::OnBusy(void* self, int /*n_calls*/) {
  auto* database = static_cast<Database*>(self);
  // What waits within a transaction, or to make the file, may hold what those in the queue wait
  // for.
  if (!database->begins_) return database->Wait() ? 1 : 0;
  do {
    database->queue_.Join();
    if (!database->Wait()) return 0;
  } while (!database->queue_.IsFirst());
  return 1;
}

bool Database::Wait() {
  const auto now = Clock::now();
  if (!wait_end_) wait_end_ = now + patience_;
  if (now >= *wait_end_) return false;
  std::this_thread::sleep_for(kLook);
  return true;
}

void Database::EndWait() {
  wait_end_.reset();
  queue_.Leave();
}

Result<Statement> Database::Prepare(std::string_view sql) {
  RETURN_IF_ERROR(Renew());
  if (const auto idle = idle_.find(sql); idle != idle_.end()) {
    sqlite3_stmt* statement = idle->second.release();
    idle_.erase(idle);
    ++n_statements_;
    return Statement(this, statement);
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  EndWait();
  if (code != SQLITE_OK) return Fault();
  ++n_statements_;
  return Statement(this, statement);
}

Result<int64_t> Database::QueryInt(std::string_view sql) {
  ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

int64_t Database::last_insert_rowid() const { return sqlite3_last_insert_rowid(db_.get()); }
int64_t Database::changes() const { return sqlite3_changes64(db_.get()); }
bool Database::reads_only() const { return sqlite3_db_readonly(db_.get(), "main") == 1; }
bool Database::in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

Result<Transaction> Transaction::Begin(Database* db) {
  RETURN_IF_ERROR(db->BeginToWrite());
  return Transaction(db);
}

Transaction::~Transaction() {
  // The fault that led here has been reported; a rollback can add nothing to it.
  if (db_ != nullptr) static_cast<void>(db_->Exec("ROLLBACK"));
}

Result<void> Transaction::Commit() {
  RETURN_IF_ERROR(db_->Exec("COMMIT"));
  db_ = nullptr;
  return {};
}

Result<Snapshot> Snapshot::Begin(Database* db) {
  if (db->in_transaction()) return Snapshot(nullptr);
  RETURN_IF_ERROR(db->Exec("BEGIN"));
  return Snapshot(db);
}

Snapshot::~Snapshot() {
  if (db_ != nullptr) static_cast<void>(db_->Exec("COMMIT"));  // nothing was written
}

}  // namespace anabranch
