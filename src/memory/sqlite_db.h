// SQLite with Result<T> and owners: a connection, a statement, a transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "memory/writer_queue.h"

struct sqlite3;
struct sqlite3_stmt;

namespace anabranch {

class Database;

// One prepared statement, lent by its Database, which must outlive it. Parameters count from 1,
// columns from 0. What is bound is copied.
class Statement {
 public:
  Statement& Bind(int index, int64_t value);
  Statement& BindText(int index, std::string_view value);
  Statement& BindBlob(int index, std::span<const std::byte> value);

  // True: a row is there. False: done; the statement is ready for new parameters.
  Result<bool> Step();
  // Step for statements that give no rows.
  Result<void> Run();

  int64_t Int(int column) const;
  // Valid until the next Step.
  std::string_view Text(int column) const;
  std::span<const std::byte> Blob(int column) const;

 private:
  friend class Database;
  // Back to the database, which keeps it for the next Prepare of the same text.
  struct Return {
    Database* db;
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(Database* db, sqlite3_stmt* statement) : statement_(statement, Return{db}) {}

  std::unique_ptr<sqlite3_stmt, Return> statement_;
};

// One connection. Threads: one at a time.
//
// After a failed write or sync nobody knows what the kernel still holds of it, and a second sync of
// the same handle may report as written what is lost. So a file's handles are not used again after
// an I/O error: the next statement outside a transaction opens the file anew, as long as the first
// connection keeps the index of the log, which does not count what failed.
//
// Transactions on one file, of any process, have their turns in the order in which they came
// (memory/writer_queue.h).
class Database {
 public:
  // For reading and writing; a commit is synced. `path` as SQLite takes it: "" is a temporary file
  // of its own, ":memory:" is in RAM. `name` stands for it in errors. Errors: kCorrupt (no
  // database), kBusy, kIo.
  static Result<std::unique_ptr<Database>> Open(const std::string& path, const std::string& name);

  // For reading alone: neither the file nor its folder is written to, not even for a lock. A file
  // that another process has open (it has a -shm file) is read beside it.
  static Result<std::unique_ptr<Database>> OpenToRead(const std::string& path,
                                                      const std::string& name);
  ~Database();

  const std::string& name() const { return name_; }
  Result<void> Exec(const char* sql);
  // A statement of the same text that is not in use any more is taken again.
  Result<Statement> Prepare(std::string_view sql);
  // The first column of the first row; 0 when there is none.
  Result<int64_t> QueryInt(std::string_view sql);
  int64_t last_insert_rowid() const;
  // Rows that the last statement changed.
  int64_t changes() const;
  // A transaction or a snapshot has been begun.
  bool in_transaction() const;
  bool reads_only() const;
  // How long a statement waits for other connections before it fails with kBusy.
  std::chrono::milliseconds patience() const { return patience_; }
  void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }

 private:
  friend class Statement;
  friend class Transaction;
  using Clock = std::chrono::steady_clock;
  struct Close {
    void operator()(sqlite3* db) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Connection = std::unique_ptr<sqlite3, Close>;

  explicit Database(std::string name) : name_(std::move(name)) {}
  Failure Fault();
  static Result<std::unique_ptr<Database>> OpenWith(const std::string& path,
                                                    const std::string& name, int flags,
                                                    const char* vfs);
  Result<Connection> Connect(const std::string& path, int flags, const char* vfs);
  Result<Connection> ConnectToWrite();
  static int Checkpoint(void* self, sqlite3* db, const char* schema, int pages);
  void NoteCode(int code);
  Result<void> BeginToWrite();
  static int OnBusy(void* self, int n_calls);
  // Waits a moment for what is in the way of a statement. False: long enough, by now.
  bool Wait();
  // A statement has got what it waited for, or has failed to.
  void EndWait();
  // Opens the file anew after an I/O error, if nothing of the connection is in use.
  Result<void> Renew();

  std::string name_;
  std::string path_;  // of a file that is written to; "": another one
  WriterQueue queue_;
  std::chrono::milliseconds patience_{5000};
  std::optional<Clock::time_point> wait_end_;  // of a statement that waits
  bool begins_ = false;                        // it begins a transaction: it holds nothing yet
  bool io_failed_ = false;                     // since the connection was opened
  int64_t n_statements_ = 0;                   // that are lent
  Connection db_;
  // Prepared and not in use, by their text.
  std::multimap<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> idle_;
};

// Rolled back unless committed.
class Transaction {
 public:
  static Result<Transaction> Begin(Database* db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> Commit();

 private:
  explicit Transaction(Database* db) : db_(db) {}
  Database* db_;
};

// Reads of one state of the file, without taking a lock for each. No transaction is begun while it
// lives; one within another one is the same state.
class Snapshot {
 public:
  static Result<Snapshot> Begin(Database* db);
  Snapshot(Snapshot&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot();

 private:
  explicit Snapshot(Database* db) : db_(db) {}
  Database* db_;
};

// Plain numbers as a blob, little-endian as this machine has them.
template <typename T>
std::span<const std::byte> AsBlob(std::span<const T> values) {
  return std::as_bytes(values);
}

}  // namespace anabranch
