// One endless conversation: reading, answering, recalling, forking.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anabranch/memory.h"
#include "anabranch/result.h"
#include "anabranch/sampling.h"
#include "anabranch/types.h"

namespace anabranch {

// What happens to the turn's own keys and values after recalled text has left the context.
enum class RetractMode : uint8_t {
  kKeep,    // they keep what they took from it
  kReread,  // turn and answer are read again without it: the window as if it had never been there;
            // those longer than the window together (and than a batch) stay as they are
};

// Work that takes a while, for a progress line. Called often; must be quick.
struct Progress {
  const char* stage = "";       // "load model", "read", "resume", "add", "index"
  int64_t done = 0, total = 0;  // tokens, bytes or units; total 0: not known
};
using ProgressFn = std::function<void(const Progress&)>;

// How a stream that memory knows goes on.
enum class ResumeMode : uint8_t {
  kWindow,  // its pinned part and its last recent_size tokens are read again, at their positions
  kCold,    // the pinned part alone: the window is empty
};

struct StreamOptions {
  std::string name = "default";  // in memory; one writer per name
  // false: dense attention; a conversation that outgrows the model's context is an error.
  bool streaming = true;
  int64_t start_size = 4;              // attention sinks
  std::optional<int64_t> recent_size;  // empty: 4096, or what fits the model's context
  KvType kv_type = KvType::kF16;
  int64_t keep = 0;    // tokens of `system`, with its template, pinned; -1: all
  std::string system;  // read first, as the system turn; empty: none
  RecallMode recall = RecallMode::kNever;
  // Streams of the same memory that are recalled from as well; its own name changes nothing.
  std::vector<std::string> recall_from;
  int32_t chunk_size = 40;      // tokens of a recalled passage; a longer sentence stays whole
  int32_t recall_tokens = 400;  // tokens of all passages of a turn at most
  std::optional<float>
      recall_threshold;  // the best cosine decides alone; empty: query and store do
  RetractMode retract = RetractMode::kKeep;
  ResumeMode resume = ResumeMode::kWindow;
  StreamPos first{0};  // position of the first token (tests)
  ProgressFn on_progress;
  // Called when memory has more than before: all that was said before `end` is durable there, and
  // what was said before `indexed` is found by an index, not only as the tail that recall reads
  // through. At every end of a turn, while reading and while answering (every 32 tokens or 250 ms).
  std::function<void(StreamPos end, StreamPos indexed)> on_remembered;
};

// The memory that a stream of given sizes takes; fixed when it opens, but for n_pinned, which
// shrinks when the system prompt is forgotten.
struct StreamPlan {
  int64_t n_pinned = 0, recent_size = 0, recall_slots = 0, n_ctx_train = 0;
  int64_t kv_slots = 0, kv_bytes = 0;
  std::string notice;  // not empty: the default recent_size was lowered, with both values
};

enum class StopReason : uint8_t { kEos, kLength, kInterrupt, kError };

struct AnswerOptions {
  SamplerOptions sampling;
  int64_t max_tokens = 256;  // -1: until the model ends its turn
  int64_t time_ms = 0;       // when the user turn was said (Unix time); 0: now
  // Whole characters of the answer as they come; may be empty.
  std::function<void(std::string_view)> on_text;
  // Called once, before the answer's first token; may be empty.
  std::function<void(const RecallResult&)> on_recall;
  // Polled between steps: true stops, and what was said so far is kept and remembered.
  const std::atomic<bool>* cancel = nullptr;
};

struct Answer {
  int64_t turn = 0;  // of the user's text
  std::string text;
  StopReason stop = StopReason::kEos;
  RecallResult recall;
  int64_t prompt_tokens = 0;    // the user turn with its template, without recalled text
  int64_t recalled_tokens = 0;  // recalled text with its template
  int64_t answer_tokens = 0;
  int64_t evicted_tokens = 0;  // that left the window since the turn began
  StreamSpan window;           // after the answer
  double prefill_ms = 0, decode_ms = 0, recall_ms = 0;
};

// What a stream was when it was opened.
struct StreamStart {
  int64_t turns = 0;   // that memory had of it; 0: it is new
  StreamPos end;       // where it went on
  int64_t reread = 0;  // tokens that were read again
  std::string source;  // the newest source (SetSource) of its turns, with the byte; "": none
  std::string notice;  // for people: what opening had to decide or to repair; "": nothing
};

struct StreamStats {
  StreamPos next, window_begin, pinned_end;
  int64_t tokens = 0;   // read and answered by this process
  int64_t evicted = 0;  // stream tokens that left the window
  int64_t turns = 0;
  StreamPos journalled, indexed;
  int64_t lost = 0;          // tokens that a failing memory never took: they cannot be recalled
  std::string memory_fault;  // why memory failed last; empty: it works
  int64_t memory_disk_bytes = 0;
};

// Threads: one at a time; all streams of an engine share its workspace, so one at a time too. What
// is called back during a call (on_text, on_recall, …) calls neither streams nor memories itself.
class Stream {
 public:
  virtual ~Stream() = default;

  // Reads a turn that is not answered. A closed `cancel` ends it early with kInterrupted.
  virtual Result<void> Read(Role role, std::string_view text, int64_t time_ms = 0,
                            const std::atomic<bool>* cancel = nullptr) = 0;
  // Reads a user turn and answers it.
  virtual Result<anabranch::Answer> Answer(std::string_view user_text,
                                           const AnswerOptions& options) = 0;
  // What memory has for a text; changes nothing.
  virtual Result<RecallResult> Recall(std::string_view text) = 0;

  // A copy of the window over the same memory: what it reads, answers or stores reaches nobody
  // else. The stream must outlive it, and is not to be used for anything but forking meanwhile.
  virtual Result<std::unique_ptr<Stream>> Fork() = 0;
  // For forks that ask the same question in different ways. Error: the stream was opened without
  // recall, so that it has neither memory nor room for recalled text.
  virtual Result<void> SetRecall(RecallMode mode) = 0;

  // Forgets in memory, and builds the window anew as ResumeMode::kWindow does: it begins behind
  // what is forgotten, and nothing in it has seen that. Of all that was said, the system prompt is
  // read again. The stream goes on at the next position. Errors: a fork; a memory that cannot be
  // written; without a memory only all can be forgotten.
  virtual Result<ForgetResult> Forget(const ForgetSelection& what) = 0;
  // What Forget would forget; changes nothing.
  virtual Result<ForgetResult> WouldForget(const ForgetSelection& what) = 0;

  // Where the turns that follow come from: a file and a turn of it, say. Memory keeps it with each
  // part of them that it has, as "SOURCE byte N": the text was read up to its byte N, the first of
  // which is `first_byte`. "": from nowhere that one could go on from. Not of answers.
  virtual void SetSource(std::string source, int64_t first_byte = 0) = 0;

  virtual const StreamStart& start() const = 0;
  virtual const StreamPlan& plan() const = 0;
  virtual StreamStats stats() const = 0;
};

}  // namespace anabranch
