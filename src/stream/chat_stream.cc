#include "stream/chat_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/wall_clock.h"
#include "stream/resume.h"
#include "text/utf8.h"

namespace anabranch {
namespace {

// Tokens read before memory is told to index them: some 150 sentences, a second's work for the
// embedder, so that a long text is indexed while it is read.
constexpr int64_t kIndexEvery = 4096;
// A question that leans on the turn before it leans on that turn's end.
constexpr size_t kPreviousTurnBytes = 2048;

// The longest end of text of at most n bytes that does not begin inside a character.
std::string_view End(std::string_view text, size_t n) {
  if (text.size() <= n) return text;
  text.remove_prefix(text.size() - n);
  while (!text.empty() && ContinuesCharacter(text[0])) text.remove_prefix(1);
  return text;
}

// The beginning of a text, for a notice.
std::string Quoted(const std::string& text) {
  constexpr size_t kShown = 60;
  if (text.empty()) return "none";
  return text.size() <= kShown ? "'" + text + "'" : "'" + text.substr(0, kShown) + "...'";
}

}  // namespace

Result<std::unique_ptr<ChatStream>> ChatStream::Open(const StreamParts& parts,
                                                     const StreamOptions& options,
                                                     std::unique_ptr<StreamMemory> memory) {
  ANABRANCH_CHECK((memory == nullptr) == (options.recall == RecallMode::kNever));
  const TurnEncoder encoder(*parts.tokenizer, *parts.chat_template);
  StreamOptions placed = options;
  StreamStart start;
  bool reads_again = false;
  if (memory != nullptr && memory->next_turn() > 0) {
    RETURN_IF_ERROR(CloseOpenTurn(encoder, NowMs(), memory.get()));
    ASSIGN_OR_RETURN(const JournalledStart first, FindStart(parts, options, *memory));
    ASSIGN_OR_RETURN(start.source, memory->LastCursor());
    start.turns = memory->next_turn();
    start.notice = memory->notice();
    placed.first = first.first;
    reads_again = !first.empty;
    if (reads_again) {
      if (!options.system.empty() && options.system != first.system) {
        start.notice += fmt::format(
            "{}stream '{}' keeps the system prompt that it began with, {}, and not {}; another "
            "--stream can have another one",
            start.notice.empty() ? "" : "; ", options.name, Quoted(first.system),
            Quoted(options.system));
      }
      placed.system = first.system;
    }
  }
  ASSIGN_OR_RETURN(const StreamSizes sizes,
                   PlanSizes(placed, parts.model->config(), {.max_batch = parts.max_batch},
                             KeptPrefix(parts, placed, placed.system)));
  ASSIGN_OR_RETURN(Context context, Context::Create(*parts.model, *parts.exec, sizes.kv,
                                                    parts.max_batch, sizes.kv_dtype));
  const auto tail =
      static_cast<size_t>(std::max<int64_t>(sizes.kv.recent_size, sizes.kv.max_batch));
  State state{.encoder = encoder, .recent = TokenTail(tail), .previous_user_turn = {}};
  if (memory != nullptr) state.next_turn = memory->next_turn();
  start.end = start.turns > 0 ? memory->journal_end() : placed.first;
  JournalWriter journal(memory.get(), options.on_remembered);
  std::unique_ptr<ChatStream> stream(new ChatStream(parts, placed, sizes.plan, std::move(context),
                                                    std::move(state), std::move(memory),
                                                    std::move(journal)));
  stream->start_ = std::move(start);
  if (reads_again) {
    ASSIGN_OR_RETURN(stream->start_.reread, stream->ReadAgain(placed.resume));
  } else if (!placed.system.empty()) {
    RETURN_IF_ERROR(stream->Read(Role::kSystem, placed.system, 0, nullptr));
  }
  return stream;
}

int64_t ChatStream::KeptPrefix(const StreamParts& parts, const StreamOptions& options,
                               const std::string& system) {
  if (system.empty() || options.keep == 0) return 0;
  TurnEncoder encoder(*parts.tokenizer, *parts.chat_template);
  const int64_t size = encoder.Turn(Role::kSystem, system).size();
  return options.keep < 0 ? size : std::min(options.keep, size);
}

Result<JournalledStart> ChatStream::FindStart(const StreamParts& parts,
                                              const StreamOptions& options,
                                              const StreamMemory& memory) {
  return anabranch::FindStart(
      memory, parts.model->config().n_ctx_train, [&](const std::string& system) {
        return std::max(options.start_size, KeptPrefix(parts, options, system));
      });
}

Result<int64_t> ChatStream::ReadAgain(ResumeMode mode) {
  const StreamPos first = context_.kv().sizes().first, end = memory_->journal_end();
  const StreamPos pinned_end = std::min(end, first + plan_.n_pinned);
  StreamPos window = end;
  if (mode == ResumeMode::kWindow) {
    window = options_.streaming ? std::max(pinned_end, end - plan_.recent_size) : pinned_end;
  }
  RETURN_IF_ERROR(CheckRoom((pinned_end - first) + (end - window)));
  ASSIGN_OR_RETURN(const JournalledTokens pinned, ReadTokensOf(*memory_, {first, pinned_end}));
  ASSIGN_OR_RETURN(const JournalledTokens rest, ReadTokensOf(*memory_, {window, end}));
  const auto total = static_cast<int64_t>(pinned.ids.size() + rest.ids.size());
  RETURN_IF_ERROR(StepAll(pinned.ids, total));
  if (pinned_end < end) context_.SkipTo(rest.begin);
  RETURN_IF_ERROR(StepAll(rest.ids, total));
  state_.encoder.Resume(rest.ids.empty() ? pinned.last_role : rest.last_role);
  RememberUserTurn(rest.last_user_turn.empty() ? pinned.last_user_turn : rest.last_user_turn);
  return total;
}

Result<void> ChatStream::StepAll(std::span<const TokenId> ids, int64_t total) {
  while (!ids.empty()) {
    const auto batch = ids.first(std::min(ids.size(), static_cast<size_t>(context_.max_rows())));
    RETURN_IF_ERROR(context_.Step(batch));
    state_.recent.Push(batch);
    ids = ids.subspan(batch.size());
    if (options_.on_progress && total > context_.max_rows()) {
      options_.on_progress(
          {.stage = "resume", .done = total - static_cast<int64_t>(ids.size()), .total = total});
    }
  }
  return {};
}

Result<void> ChatStream::CheckRoom(int64_t n) const {
  if (options_.streaming) return {};
  const KvContext& kv = context_.kv();
  const int64_t room = plan_.n_pinned + plan_.recent_size;
  const int64_t used = (kv.pinned_end() - kv.sizes().first) + (kv.next() - kv.window_begin());
  if (used + n <= room) return {};
  return Fail(ErrorKind::kLimit, "the conversation",
              fmt::format("{} tokens and {} more outgrow the model's context of {}", used, n, room),
              "use --enable-streaming");
}

Result<void> ChatStream::ReadBatch(const Turn& turn, int64_t begin, int64_t end, bool generated) {
  const int64_t n = end - begin;
  const auto ids =
      std::span(turn.tokens.ids).subspan(static_cast<size_t>(begin), static_cast<size_t>(n));
  journal_.SyncBefore(context_.WindowBeginAfter(n));
  const StreamPos pos = context_.kv().next();
  if (generated) journal_.SyncBeside();
  RETURN_IF_ERROR(context_.Step(ids));
  state_.recent.Push(ids);
  journal_.AddTurn(turn.number, turn.role, turn.time_ms, pos, turn.tokens, begin, end);
  state_.unindexed += n;
  if (state_.unindexed >= kIndexEvery) {
    journal_.Index(false);
    state_.unindexed = 0;
  }
  return {};
}

// A batch longer than the window would evict tokens of its own before they are durable.
int64_t ChatStream::BatchRows() const {
  const int64_t rows = context_.max_rows();
  return memory_ == nullptr ? rows : std::min(rows, plan_.recent_size);
}

// Between characters, if rows allow it: the journal may end here, and a file is gone on with there.
int64_t ChatStream::BatchEnd(const TurnTokens& tokens, int64_t begin, int64_t end) const {
  const int64_t full = begin + BatchRows();
  if (full >= end) return end;
  int64_t at = full;
  while (at > begin && tokens.CutsCharacter(at)) --at;
  return at > begin ? at : full;
}

Result<bool> ChatStream::ReadTokens(const Turn& turn, int64_t begin, int64_t end,
                                    const std::atomic<bool>* cancel) {
  const int64_t n_footer = turn.tokens.text_end;
  for (int64_t at = begin; at < end;) {
    if (at > begin && at < n_footer && IsSet(cancel)) {
      RETURN_IF_ERROR(ReadTokens(turn, n_footer, turn.tokens.size(), nullptr));
      return false;
    }
    const int64_t stop = BatchEnd(turn.tokens, at, end);
    RETURN_IF_ERROR(ReadBatch(turn, at, stop));
    at = stop;
    if (options_.on_progress && turn.tokens.size() > context_.max_rows()) {
      options_.on_progress({.stage = "read", .done = at, .total = turn.tokens.size()});
    }
  }
  return true;
}

Result<void> ChatStream::ReadAll(const Turn& turn) {
  RETURN_IF_ERROR(ReadTokens(turn, 0, turn.tokens.size(), nullptr));
  return {};
}

void ChatStream::RememberUserTurn(std::string_view text) {
  state_.previous_user_turn = End(text, kPreviousTurnBytes);
}

Result<void> ChatStream::Read(Role role, std::string_view text, int64_t time_ms,
                              const std::atomic<bool>* cancel) {
  TurnEncoder encoder = state_.encoder;
  Turn turn{.number = state_.next_turn,
            .role = role,
            .time_ms = time_ms != 0 ? time_ms : NowMs(),
            .tokens = encoder.Turn(role, text)};
  RETURN_IF_ERROR(CheckRoom(turn.tokens.size()));
  state_.encoder = encoder;
  ++state_.next_turn;
  const Result<bool> whole = ReadTokens(turn, 0, turn.tokens.size(), cancel);
  if (role == Role::kUser) RememberUserTurn(text);
  journal_.Index(false);
  if (!whole) return tl::make_unexpected(whole.error());
  if (!*whole) {
    return Fail(ErrorKind::kInterrupted, "reading", "was interrupted",
                "what was read so far is kept");
  }
  return {};
}

Result<std::unique_ptr<Stream>> ChatStream::Fork() {
  std::unique_ptr<StreamMemory> memory;
  if (memory_ != nullptr) {
    journal_.Index(false);
    ASSIGN_OR_RETURN(memory, memory_->Fork());
  }
  ASSIGN_OR_RETURN(Context context, context_.Clone());
  StreamParts parts = parts_;
  parts.memory = nullptr;
  JournalWriter journal(journal_, memory.get());
  std::unique_ptr<ChatStream> fork(new ChatStream(parts, options_, plan_, std::move(context),
                                                  state_, std::move(memory), std::move(journal)));
  fork->start_ = start_;
  return fork;
}

Result<void> ChatStream::SetRecall(RecallMode mode) {
  if (memory_ == nullptr && mode != RecallMode::kNever) {
    return Fail(ErrorKind::kInvalid, "--recall",
                "the stream was opened without recall and has neither memory nor room for it",
                "open it with --enable-retriever");
  }
  options_.recall = mode;
  return {};
}

StreamStats ChatStream::stats() const {
  const KvContext& kv = context_.kv();
  const StreamPos first = kv.sizes().first;
  StreamStats stats;
  stats.next = kv.next();
  stats.window_begin = kv.window_begin();
  stats.pinned_end = kv.pinned_end();
  stats.tokens = kv.next() - start_.end;
  stats.evicted =
      state_.forgotten + std::max<int64_t>(0, kv.window_begin() - (first + plan_.n_pinned));
  stats.turns = state_.next_turn;
  stats.lost = journal_.n_lost();
  stats.memory_fault = journal_.fault();
  if (memory_ != nullptr) {
    stats.journalled = memory_->journal_end();
    stats.indexed = memory_->indexed_end();
  }
  if (parts_.memory != nullptr) stats.memory_disk_bytes = parts_.memory->DiskBytes().value_or(0);
  return stats;
}

}  // namespace anabranch
