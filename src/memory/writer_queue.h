// Connections that wait to write to one SQLite file, in the order in which they came.
//
// SQLite gives its write lock to whoever asks while it is free, and who waits asks only now and
// then: a process that writes one transaction after another would keep all others out. So who finds
// the lock taken takes a place here, and who comes later, the one that had it included, stands
// behind. This decides nothing but the order: where the queue cannot be had (a folder without write
// permission, a queue file that another process removed) writing is less fair, and no less safe.
//
// Invariants: the queue's file is there while somebody waits; its size counts the places that were
// given; the holder of place n has byte n locked, until it leaves or its process ends.
#pragma once

#include <cstdint>
#include <string>

namespace anabranch {

// One connection's place. Threads: one at a time.
class WriterQueue {
 public:
  WriterQueue() = default;  // of a file that nobody else can open: there is never anyone
  explicit WriterQueue(std::string path) : path_(std::move(path)) {}
  WriterQueue(WriterQueue&& other) noexcept;
  WriterQueue& operator=(WriterQueue&& other) noexcept;
  ~WriterQueue() { Leave(); }

  // Somebody waits, or ended while waiting.
  bool IsThere() const;
  bool joined() const { return fd_ >= 0; }
  // Takes the last place, if there is none yet. False: another one is just doing that, call again.
  // True without a place: the queue cannot be had.
  bool Join();
  // Nobody who joined earlier is still there. True without a place.
  bool IsFirst() const;
  // Gives the place up. Nothing without one.
  void Leave();

 private:
  std::string path_;
  int fd_ = -1;
  int64_t place_ = 0;
};

}  // namespace anabranch
