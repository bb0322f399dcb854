// The policy of a stream: read, evict, remember, recall, answer.
//
// Every token goes the same way: plan, run, commit (Context::Step), then the journal, which is
// written before what it does not yet hold leaves the window. Recalled text goes the same way but
// for the journal, into slots of its own, and leaves the context with the answer that asked for it.
//
// Invariants between calls: no text is recalled; every text token that was committed is in the
// journal, waits in the JournalWriter, or lies in a gap that will be recorded; turns in the context
// are closed by their footer, unless a backend fault ended one.
#pragma once

#include <memory>
#include <string>

#include "anabranch/stream.h"
#include "memory/memory.h"
#include "stream/context.h"
#include "stream/journal_writer.h"
#include "stream/resume.h"
#include "stream/sizes.h"
#include "stream/token_tail.h"
#include "stream/turn_tokens.h"

namespace anabranch {

// What an engine lends to its streams; all of it must outlive them.
struct StreamParts {
  Model* model = nullptr;
  CpuExec* exec = nullptr;
  const Tokenizer* tokenizer = nullptr;
  const ChatTemplate* chat_template = nullptr;
  int32_t max_batch = 512;   // the model's
  Memory* memory = nullptr;  // that the stream is written to; null: none, or not this stream's
};

class ChatStream final : public Stream {
 public:
  // `memory` is the stream's place in parts.memory; null exactly when options.recall is kNever.
  // Reads the system prompt. A stream that memory knows goes on where it ended, with the system
  // prompt that it has: its last turn is closed, and what options.resume says is read again.
  static Result<std::unique_ptr<ChatStream>> Open(const StreamParts& parts,
                                                  const StreamOptions& options,
                                                  std::unique_ptr<StreamMemory> memory);

  Result<void> Read(Role role, std::string_view text, int64_t time_ms,
                    const std::atomic<bool>* cancel) override;
  Result<anabranch::Answer> Answer(std::string_view user_text,
                                   const AnswerOptions& options) override;
  Result<RecallResult> Recall(std::string_view text) override;
  Result<std::unique_ptr<Stream>> Fork() override;
  Result<void> SetRecall(RecallMode mode) override;
  Result<ForgetResult> Forget(const ForgetSelection& what) override;
  Result<ForgetResult> WouldForget(const ForgetSelection& what) override;
  void SetSource(std::string source, int64_t first_byte) override {
    journal_.SetSource(std::move(source), first_byte);
  }
  const StreamStart& start() const override { return start_; }
  const StreamPlan& plan() const override { return plan_; }
  StreamStats stats() const override;

  // For tests: what the next token will see.
  const KvContext& kv() const { return context_.kv(); }

 private:
  // What a fork starts with a copy of.
  struct State {
    TurnEncoder encoder;
    TokenTail recent;                // tokens of the stream, newest last
    std::string previous_user_turn;  // its end
    int64_t next_turn = 0;
    int64_t forgotten = 0;  // tokens of the context before a Forget that moved its start
    int64_t unindexed = 0;  // tokens since memory was last told to index
  };
  // A turn, or a part of one, on its way into the stream.
  struct Turn {
    int64_t number = 0;
    Role role = Role::kUser;
    int64_t time_ms = 0;
    TurnTokens tokens;
  };

  ChatStream(const StreamParts& parts, const StreamOptions& options, const StreamPlan& plan,
             Context context, State state, std::unique_ptr<StreamMemory> memory,
             JournalWriter journal)
      : parts_(parts),
        options_(options),
        plan_(plan),
        context_(std::move(context)),
        state_(std::move(state)),
        memory_(std::move(memory)),
        journal_(std::move(journal)) {}

  static bool IsSet(const std::atomic<bool>* cancel) {
    return cancel != nullptr && cancel->load(std::memory_order_relaxed);
  }
  // Tokens of a system prompt that are pinned.
  static int64_t KeptPrefix(const StreamParts& parts, const StreamOptions& options,
                            const std::string& system);
  static Result<JournalledStart> FindStart(const StreamParts& parts, const StreamOptions& options,
                                           const StreamMemory& memory);
  // Reads into an empty context what of the journal it is to hold; says how many tokens.
  Result<int64_t> ReadAgain(ResumeMode mode);
  // Forget in memory alone, or a dry run of it.
  Result<ForgetResult> ForgetInMemory(const ForgetSelection& what, bool dry_run);
  Result<void> BuildAnew();
  Result<void> StepAll(std::span<const TokenId> ids, int64_t total);
  // Error kLimit: n more tokens outgrow a dense context.
  Result<void> CheckRoom(int64_t n) const;
  int64_t BatchRows() const;
  // Where a batch of a turn ends that begins at token `begin`; `end` at the latest.
  int64_t BatchEnd(const TurnTokens& tokens, int64_t begin, int64_t end) const;
  // Reads tokens [begin, end) of a turn in batches. False: `cancel` was set between two of them,
  // and the turn was closed with its footer. A fault keeps what was committed before it.
  Result<bool> ReadTokens(const Turn& turn, int64_t begin, int64_t end,
                          const std::atomic<bool>* cancel);
  // The same for a turn, or a part of one, that is too short to be interrupted.
  Result<void> ReadAll(const Turn& turn);
  // While a generated token is read, what was said before it is synced when it is time.
  Result<void> ReadBatch(const Turn& turn, int64_t begin, int64_t end, bool generated = false);
  void RememberUserTurn(std::string_view text);

  // Answer, but for what follows the retraction. `at_split`: the context before text is recalled.
  Result<void> ReadAndAnswer(const Turn& turn, const AnswerOptions& options,
                             anabranch::Answer* answer, KvContext* at_split);
  RecallQuery Query(std::string_view text) const;
  RecallResult AskMemory(const RecallQuery& query);
  Result<void> RecallInto(const Turn& turn, int64_t asking, int64_t split, int64_t n_header,
                          anabranch::Answer* answer);
  Result<void> Generate(Turn turn, const AnswerOptions& options, anabranch::Answer* answer);
  Result<void> Reread(const KvContext& at_split);

  StreamParts parts_;
  StreamOptions options_;
  StreamPlan plan_;
  StreamStart start_;
  Context context_;
  State state_;
  std::unique_ptr<StreamMemory> memory_;
  JournalWriter journal_;
};

}  // namespace anabranch
