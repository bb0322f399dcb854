// A file system between SQLite and the disk: it fails when it is told to, and knows what a power
// cut would leave of each file.
//
// The disk is modelled by its promises alone. What was written since a file's last sync may be
// there or not, in units of a sector, whatever came before or after it. What a sync that failed
// was to write is never written by a later one, as on Linux. A file that was not synced since it
// was made or deleted may be there or not.
//
// Threads: one at a time.
#pragma once

#include <sqlite3.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace anabranch::testing {

// What files hold, by their paths.
using Files = std::map<std::string, std::string>;
// Writes each into a folder, by its name.
void WriteInto(const std::string& folder, const Files& files);

class FaultVfs {
 public:
  enum class Op : uint8_t { kOpen, kWrite, kTruncate, kSync, kDelete };
  // Asked before each call: the code that it returns, not SQLITE_OK, is its failure.
  using Judge = std::function<int(Op, const std::string& path)>;

  // SQLite's default file system from now on, until this is destroyed, when all that was opened
  // with it is closed. Files that are not in `folder` are the real one's.
  explicit FaultVfs(std::string folder);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  void set_judge(Judge judge) { judge_ = std::move(judge); }

  // What is left if the power fails now. Without `random` nothing is that did not have to be.
  Files PowerCut(std::mt19937* random = nullptr) const;
  // Whether something of a file would be lost by that.
  bool IsSynced(const std::string& path) const;
  // Syncs of a handle that had failed to sync before.
  int n_retried_syncs() const { return n_retried_syncs_; }

 private:
  struct Handle;
  friend struct FaultVfsCalls;  // SQLite's callbacks

  // A write, or what cuts the file to `offset`.
  struct Change {
    int64_t offset = 0;
    std::optional<std::string> bytes;
  };
  struct Node {
    std::string synced;
    std::vector<Change> unsynced;
  };
  using NodePtr = std::shared_ptr<Node>;
  struct Name {
    NodePtr now, kept;  // what it leads to, for processes and behind a power cut; null: nowhere
  };

  static void Apply(const Change& change, std::string* content);
  // Some of what was not synced.
  static void ApplySome(const Node& node, std::mt19937* random, std::string* content);
  bool Holds(const char* path) const { return std::string(path).starts_with(folder_); }
  int Ask(Op op, const std::string& path) const { return judge_ ? judge_(op, path) : SQLITE_OK; }

  std::string folder_;
  sqlite3_vfs* real_;
  sqlite3_vfs shim_;
  Judge judge_;
  std::map<std::string, Name> names_;
  int n_retried_syncs_ = 0;
};

}  // namespace anabranch::testing
