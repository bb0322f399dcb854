// Processes that share one memory file: all get on, and nobody sees another's locks.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <functional>
#include <new>

#include "memory/memory_test_support.h"
#include "memory/schema.h"
#include "memory/verify.h"
#include "memory/writer_queue.h"

namespace anabranch {
namespace {

constexpr size_t kMost = 4;  // processes

// What the processes of a test see of each other.
struct Board {
  std::atomic<int> ready = 0;
  std::atomic<bool> stop = false;
  std::array<std::atomic<int>, kMost> done = {};  // by each
  std::array<char, 512> fault = {};               // of one that failed
};

// Forked processes, each of which calls its function and has not failed if that returns.
class Processes {
 public:
  using Work = std::function<void(size_t self, Board& board)>;

  Processes() {
    void* shared =
        mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    board_ = new (shared) Board;
  }
  ~Processes() {
    for (const pid_t pid : pids_) kill(pid, SIGKILL);
    Join();
    munmap(board_, sizeof(Board));
  }

  // Runs them until the first of them has ended, or with `stop`.
  void Run(const std::vector<Work>& works) {
    for (size_t i = 0; i < works.size(); ++i) {
      const pid_t pid = fork();
      if (pid != 0) {
        pids_.push_back(pid);
        continue;
      }
      int code = 0;
      try {
        works[i](i, *board_);
      } catch (const std::exception& e) {
        std::snprintf(board_->fault.data(), board_->fault.size(), "process %zu: %s", i, e.what());
        board_->stop = true;
        code = 1;
      }
      _exit(code);
    }
    Join();
    EXPECT_STREQ(board_->fault.data(), "");
  }

  const Board& board() const { return *board_; }

 private:
  void Join() {
    for (const pid_t pid : pids_) {
      int status = 0;
      EXPECT_EQ(waitpid(pid, &status, 0), pid);
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
    pids_.clear();
  }

  Board* board_;
  std::vector<pid_t> pids_;
};

template <typename T>
T OrThrow(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().Message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void AwaitAll(Board& board, int n) {
  ++board.ready;
  while (board.ready < n && !board.stop) usleep(100);
}

// Writes turns of so many sentences to a stream of its own until it or another has written `n`.
Processes::Work WriterOf(const std::string& path, int n_processes, int n, int n_sentences) {
  return [=](size_t self, Board& board) {
    const auto memory = OrThrow(OpenMemory(path, FakeEmbedder()));
    const auto stream = OrThrow(memory->OpenStream("stream " + std::to_string(self), "t"));
    Writer writer(stream.get());
    AwaitAll(board, n_processes);
    for (int i = 0; i < n && !board.stop; ++i) {
      std::string text;
      for (int s = 0; s < n_sentences; ++s) {
        text += "On day " + std::to_string(i + s) + " the ferry of stream " + std::to_string(self) +
                " crossed the bay with seven passengers and a dog. ";
      }
      writer.Say(i % 2 == 0 ? Role::kUser : Role::kAssistant, text);
      ++board.done[self];
    }
    board.stop = true;
  };
}

TEST(Sharing, WritersTakeTurnsAndAReaderReadsBesideThem) {
  const TempDir dir;
  const std::string path = dir.File("memory");
  const auto read = [&](size_t self, Board& board) {
    AwaitAll(board, 3);
    while (board.done[0] == 0 && !board.stop) usleep(100);
    const auto memory = OrThrow(OpenMemory(path, FakeEmbedder()));
    const auto reader = OrThrow(memory->OpenReader("stream 0"));
    while (!board.stop) {
      RecallQuery query;
      query.turn_text = "Which day did the ferry of the stream cross the bay with a dog?";
      query.mode = RecallMode::kAlways;
      query.threshold = 0.0f;
      const RecallResult result = OrThrow(reader->Recall(query));
      for (const Passage& passage : result.passages) {
        if (passage.text.find("stream 0") == std::string::npos || passage.stream != "stream 0") {
          throw std::runtime_error("recalled '" + passage.text + "'");
        }
      }
      if (!result.fault.empty()) throw std::runtime_error(result.fault);
      ++board.done[self];
    }
  };
  constexpr int kTurns = 200;
  Processes processes;
  processes.Run({WriterOf(path, 3, kTurns, 1), WriterOf(path, 3, kTurns, 1), read});
  for (const size_t writer : {size_t{0}, size_t{1}})
    EXPECT_GE(processes.board().done[writer], kTurns / 4);
  EXPECT_GT(processes.board().done[2], 10);
  const VerifyReport report = VerifyFile(path, FakeEmbedder()).value();
  EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
  EXPECT_EQ(report.streams.size(), 2u);
}

// As one that imports or indexes anew: its transactions are long, and between them the lock is free
// for a moment only.
TEST(Sharing, WhoWritesMuchKeepsNobodyOut) {
  const TempDir dir;
  const std::string path = dir.File("memory");
  constexpr int kLong = 60;
  const auto write = [&](int n, useconds_t hold_us) {
    return [=](size_t self, Board& board) {
      const auto db = OrThrow(OpenStore(path, path));
      AwaitAll(board, 3);
      for (int i = 0; i < n && !board.stop; ++i) {
        Transaction transaction = OrThrow(Transaction::Begin(db.get()));
        OrThrow(WriteMeta(db.get(), "writer " + std::to_string(self), std::to_string(i)));
        usleep(hold_us);
        OrThrow(transaction.Commit());
        ++board.done[self];
      }
      board.stop = true;
    };
  };
  Processes processes;
  processes.Run({write(kLong, 20000), write(1 << 20, 0), write(1 << 20, 0)});
  for (const size_t writer : {size_t{1}, size_t{2}})
    EXPECT_GE(processes.board().done[writer], kLong / 4);
}

TEST(Sharing, OneFileIsMadeByAllWhoOpenItAtOnce) {
  for (int i = 0; i < 20; ++i) {
    const TempDir dir;
    const auto open = [path = dir.File("memory")](size_t self, Board& board) {
      AwaitAll(board, 4);
      const auto memory = OrThrow(OpenMemory(path, FakeEmbedder()));
      const auto stream = OrThrow(memory->OpenStream("stream " + std::to_string(self), "t"));
      Writer(stream.get()).Say(Role::kUser, "Hello.");
    };
    Processes processes;
    processes.Run({open, open, open, open});
    const VerifyReport report = VerifyFile(dir.File("memory"), FakeEmbedder()).value();
    EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.faults);
    ASSERT_EQ(report.streams.size(), 4u);
    if (HasFailure()) break;
  }
}

// Who opens the file last and closes it first makes and removes what is beside it.
TEST(Sharing, ProcessesComeAndGo) {
  const TempDir dir;
  const std::string path = dir.File("memory");
  constexpr int kVisits = 60;
  const auto visit = [&](size_t self, Board& board) {
    AwaitAll(board, 4);
    for (int i = 0; i < kVisits && !board.stop; ++i) {
      const auto memory = OrThrow(OpenMemory(path, FakeEmbedder()));
      const auto stream = OrThrow(memory->OpenStream("stream " + std::to_string(self), "t"));
      Writer(stream.get()).Say(Role::kUser, "Visit " + std::to_string(i) + " of the old mill.");
      ++board.done[self];
    }
  };
  const auto verify = [&](size_t self, Board& board) {
    AwaitAll(board, 4);
    while (board.done[0] == 0 && !board.stop) usleep(100);
    while (board.done[0] + board.done[1] < 2 * kVisits && !board.stop) {
      const VerifyReport report = OrThrow(VerifyFile(path, FakeEmbedder()));
      if (!report.ok) throw std::runtime_error(::testing::PrintToString(report.faults));
      ++board.done[self];
    }
  };
  Processes processes;
  processes.Run({visit, visit, verify, verify});
  EXPECT_GT(processes.board().done[2], 0);
  const VerifyReport report = VerifyFile(path, FakeEmbedder()).value();
  ASSERT_EQ(report.streams.size(), 2u);
  for (const MemoryStreamInfo& stream : report.streams) EXPECT_EQ(stream.turns, kVisits);
}

TEST(Sharing, AStreamThatAnotherProcessWritesIsRefusedAndItsHolderNamed) {
  const TempDir dir;
  const std::string path = dir.File("memory");
  Processes processes;
  const auto hold = [&](size_t, Board& board) {
    const auto memory = OrThrow(OpenMemory(path, FakeEmbedder()));
    const auto stream = OrThrow(memory->OpenStream("s", "t"));
    board.done[0] = getpid();
    while (!board.stop) usleep(1000);
  };
  const auto ask = [&](size_t, Board& board) {
    while (board.done[0] == 0 && !board.stop) usleep(1000);
    const auto memory = OrThrow(OpenMemory(path, FakeEmbedder()));
    const auto stream = memory->OpenStream("s", "t");
    board.stop = true;
    const std::string holder = "process " + std::to_string(board.done[0]) + " on ";
    if (stream || stream.error().kind != ErrorKind::kBusy ||
        stream.error().Message().find(holder) == std::string::npos) {
      throw std::runtime_error(stream ? "opened" : stream.error().Message());
    }
  };
  processes.Run({hold, ask});
}

TEST(WriterQueue, IsLeftInTheOrderInWhichItWasJoined) {
  const TempDir dir;
  const std::string path = dir.File("queue");
  WriterQueue a(path), b(path), c(path);
  EXPECT_FALSE(a.IsThere());
  for (WriterQueue* each : {&a, &b, &c}) ASSERT_TRUE(each->Join());
  EXPECT_TRUE(a.IsFirst());
  EXPECT_FALSE(b.IsFirst());
  EXPECT_FALSE(c.IsFirst());
  a.Leave();
  ASSERT_TRUE(a.Join());  // behind the others
  EXPECT_TRUE(b.IsFirst());
  EXPECT_FALSE(a.IsFirst());
  c.Leave();  // gave up
  b.Leave();
  EXPECT_TRUE(a.IsFirst());
  EXPECT_TRUE(b.IsThere());
  a.Leave();
  EXPECT_FALSE(a.IsThere());
}

TEST(WriterQueue, DoesNotWaitForTheDead) {
  const TempDir dir;
  const std::string path = dir.File("queue");
  const pid_t pid = fork();
  if (pid == 0) {
    WriterQueue dead(path);
    const bool joined = dead.Join();
    if (joined) raise(SIGKILL);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status));
  WriterQueue next(path);
  EXPECT_TRUE(next.IsThere());
  ASSERT_TRUE(next.Join());
  EXPECT_TRUE(next.IsFirst());
  next.Leave();
  EXPECT_FALSE(next.IsThere());
}

}  // namespace
}  // namespace anabranch
