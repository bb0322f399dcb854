#include "support/fault_vfs.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <stdexcept>

namespace anabranch::testing {

void WriteInto(const std::string& folder, const Files& files) {
  for (const auto& [path, content] : files) {
    const std::string name = std::filesystem::path(path).filename().string();
    std::ofstream file(folder + "/" + name, std::ios::binary);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!file.flush()) throw std::runtime_error("cannot write " + name);
  }
}

// What SQLite knows of an open file. The real file system's follows it in memory.
struct FaultVfs::Handle {
  sqlite3_file base;
  FaultVfs* vfs;
  std::string path;
  NodePtr node;
  bool sync_failed = false;

  static constexpr size_t Size() {
    constexpr size_t kAlign = alignof(std::max_align_t);
    return (sizeof(Handle) + kAlign - 1) / kAlign * kAlign;
  }
  sqlite3_file* real() {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(this) + Size());
  }
};

struct FaultVfsCalls {
  using Op = FaultVfs::Op;
  using Handle = FaultVfs::Handle;

  static Handle* Of(sqlite3_file* file) { return reinterpret_cast<Handle*>(file); }
  static sqlite3_file* Real(sqlite3_file* file) { return Of(file)->real(); }
  static FaultVfs* Of(sqlite3_vfs* vfs) { return static_cast<FaultVfs*>(vfs->pAppData); }

  static int Open(sqlite3_vfs* shim, const char* name, sqlite3_file* file, int flags, int* out) {
    FaultVfs* vfs = Of(shim);
    file->pMethods = nullptr;
    constexpr int kKept = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
    if ((flags & kKept) == 0 || !vfs->Holds(name)) {
      return vfs->real_->xOpen(vfs->real_, name, file, flags, out);
    }
    if (const int code = vfs->Ask(Op::kOpen, name); code != SQLITE_OK) return code;
    auto& entry = vfs->names_[name];
    if (entry.now == nullptr) {
      std::ifstream content(name, std::ios::binary);
      entry.now = std::make_shared<FaultVfs::Node>();
      if (content) {
        entry.now->synced.assign(std::istreambuf_iterator<char>(content), {});
        entry.kept = entry.now;
      }
    }
    auto* handle = new (file) Handle{{nullptr}, vfs, name, entry.now};
    const int code = vfs->real_->xOpen(vfs->real_, name, handle->real(), flags, out);
    if (code != SQLITE_OK) {
      handle->~Handle();
      file->pMethods = nullptr;
      return code;
    }
    file->pMethods = Methods();
    return SQLITE_OK;
  }

  static int Close(sqlite3_file* file) {
    const int code = Real(file)->pMethods->xClose(Real(file));
    Of(file)->~Handle();
    return code;
  }

  static int Delete(sqlite3_vfs* shim, const char* name, int sync_folder) {
    FaultVfs* vfs = Of(shim);
    if (!vfs->Holds(name)) return vfs->real_->xDelete(vfs->real_, name, sync_folder);
    if (const int code = vfs->Ask(Op::kDelete, name); code != SQLITE_OK) return code;
    const int code = vfs->real_->xDelete(vfs->real_, name, sync_folder);
    if (code != SQLITE_OK) return code;
    auto& entry = vfs->names_[name];
    entry.now = nullptr;
    if (sync_folder != 0) entry.kept = nullptr;
    return SQLITE_OK;
  }

  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    Handle* handle = Of(file);
    if (const int code = handle->vfs->Ask(Op::kWrite, handle->path); code != SQLITE_OK) return code;
    handle->node->unsynced.push_back(
        {offset, std::string(static_cast<const char*>(data), static_cast<size_t>(size))});
    return Real(file)->pMethods->xWrite(Real(file), data, size, offset);
  }

  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    Handle* handle = Of(file);
    if (const int code = handle->vfs->Ask(Op::kTruncate, handle->path); code != SQLITE_OK) {
      return code;
    }
    handle->node->unsynced.push_back({size, std::nullopt});
    return Real(file)->pMethods->xTruncate(Real(file), size);
  }

  static int Sync(sqlite3_file* file, int flags) {
    Handle* handle = Of(file);
    FaultVfs::Node& node = *handle->node;
    if (handle->sync_failed) ++handle->vfs->n_retried_syncs_;
    if (const int code = handle->vfs->Ask(Op::kSync, handle->path); code != SQLITE_OK) {
      handle->sync_failed = true;
      node.unsynced.clear();
      return code;
    }
    for (const FaultVfs::Change& change : node.unsynced) FaultVfs::Apply(change, &node.synced);
    node.unsynced.clear();
    auto& entry = handle->vfs->names_[handle->path];
    if (entry.now == handle->node) entry.kept = handle->node;
    return Real(file)->pMethods->xSync(Real(file), flags);
  }

  // The rest goes through.
  static int Read(sqlite3_file* f, void* data, int size, sqlite3_int64 offset) {
    return Real(f)->pMethods->xRead(Real(f), data, size, offset);
  }
  static int FileSize(sqlite3_file* f, sqlite3_int64* size) {
    return Real(f)->pMethods->xFileSize(Real(f), size);
  }
  static int Lock(sqlite3_file* f, int lock) { return Real(f)->pMethods->xLock(Real(f), lock); }
  static int Unlock(sqlite3_file* f, int lock) { return Real(f)->pMethods->xUnlock(Real(f), lock); }
  static int CheckReservedLock(sqlite3_file* f, int* out) {
    return Real(f)->pMethods->xCheckReservedLock(Real(f), out);
  }
  static int FileControl(sqlite3_file* f, int op, void* arg) {
    return Real(f)->pMethods->xFileControl(Real(f), op, arg);
  }
  static int SectorSize(sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); }
  static int DeviceCharacteristics(sqlite3_file* f) {
    return Real(f)->pMethods->xDeviceCharacteristics(Real(f));
  }
  static int ShmMap(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
    return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
  }
  static int ShmLock(sqlite3_file* f, int offset, int n, int flags) {
    return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags);
  }
  static void ShmBarrier(sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); }
  static int ShmUnmap(sqlite3_file* f, int remove) {
    return Real(f)->pMethods->xShmUnmap(Real(f), remove);
  }

  // Of version 2: nothing is mapped into memory but the index of the log.
  static const sqlite3_io_methods* Methods() {
    static const sqlite3_io_methods methods = {2,
                                               Close,
                                               Read,
                                               Write,
                                               Truncate,
                                               Sync,
                                               FileSize,
                                               Lock,
                                               Unlock,
                                               CheckReservedLock,
                                               FileControl,
                                               SectorSize,
                                               DeviceCharacteristics,
                                               ShmMap,
                                               ShmLock,
                                               ShmBarrier,
                                               ShmUnmap,
                                               nullptr,
                                               nullptr};
    return &methods;
  }
};

FaultVfs::FaultVfs(std::string folder)
    : folder_(std::move(folder)), real_(sqlite3_vfs_find(nullptr)), shim_(*real_) {
  shim_.zName = "fault";
  shim_.pAppData = this;
  shim_.szOsFile = static_cast<int>(Handle::Size()) + real_->szOsFile;
  shim_.xOpen = FaultVfsCalls::Open;
  shim_.xDelete = FaultVfsCalls::Delete;
  if (sqlite3_vfs_register(&shim_, 1) != SQLITE_OK) throw std::runtime_error("no file system");
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&shim_);
  sqlite3_vfs_register(real_, 1);
}

void FaultVfs::Apply(const Change& change, std::string* content) {
  const auto offset = static_cast<size_t>(change.offset);
  if (!change.bytes) {
    content->resize(offset);
    return;
  }
  content->resize(std::max(content->size(), offset + change.bytes->size()));
  content->replace(offset, change.bytes->size(), *change.bytes);
}

void FaultVfs::ApplySome(const Node& node, std::mt19937* random, std::string* content) {
  constexpr size_t kSector = 512;
  // Of ten sectors, how many survive: all, none, or some; and all that comes first, or any.
  const auto tenths = (*random)() % 11;
  const bool in_order = (*random)() % 2 == 0;
  size_t sectors = 0;
  const auto sectors_of = [](const Change& change) {
    const auto offset = static_cast<size_t>(change.offset);
    const size_t size = change.bytes ? change.bytes->size() : 1;
    return (offset + size + kSector - 1) / kSector - offset / kSector;
  };
  for (const Change& change : node.unsynced) sectors += sectors_of(change);
  size_t left = in_order ? (*random)() % (sectors + 1) : sectors;
  for (const Change& change : node.unsynced) {
    const auto survives = [&] {
      if (left == 0) return false;
      --left;
      return in_order || (*random)() % 10 < tenths;
    };
    if (!change.bytes) {
      if (survives()) Apply(change, content);
      continue;
    }
    for (size_t done = 0; done < change.bytes->size();) {
      const size_t at = static_cast<size_t>(change.offset) + done;
      const size_t n = std::min(kSector - at % kSector, change.bytes->size() - done);
      if (survives()) {
        Apply({static_cast<int64_t>(at), change.bytes->substr(done, n)}, content);
      }
      done += n;
    }
  }
}

Files FaultVfs::PowerCut(std::mt19937* random) const {
  Files files;
  for (const auto& [path, name] : names_) {
    const bool changed = name.now != name.kept && random != nullptr && (*random)() % 2 == 0;
    const Node* node = changed ? name.now.get() : name.kept.get();
    if (node == nullptr) continue;
    std::string& content = files[path] = node->synced;
    if (random != nullptr) ApplySome(*node, random, &content);
  }
  return files;
}

bool FaultVfs::IsSynced(const std::string& path) const {
  const auto found = names_.find(path);
  if (found == names_.end()) return true;
  return found->second.now == found->second.kept &&
         (found->second.now == nullptr || found->second.now->unsynced.empty());
}

}  // namespace anabranch::testing
