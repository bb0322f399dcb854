// ChatStream::Answer: recall for a turn, read it, generate, close, retract.
#include <algorithm>
#include <utility>

#include "base/wall_clock.h"
#include "sampling/sampler.h"
#include "stream/chat_stream.h"
#include "stream/recall_prompt.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

// Tokens of a turn's template alone.
TurnTokens TemplateTokens(std::vector<TokenId> ids) {
  TurnTokens tokens;
  tokens.ids = std::move(ids);
  tokens.text_begin = tokens.text_end = tokens.size();
  return tokens;
}

}  // namespace

RecallQuery ChatStream::Query(std::string_view text) const {
  RecallQuery query;
  query.turn_text = text;
  query.previous_user_turn = state_.previous_user_turn;
  query.mode = options_.recall;
  query.window_begin = context_.WindowBeginAfter(0);
  query.pinned = {context_.kv().sizes().first, context_.kv().pinned_end()};
  query.exclude = {context_.kv().next(), context_.kv().next()};
  query.chunk_size = options_.chunk_size;
  query.recall_tokens = options_.recall_tokens;
  query.threshold = options_.recall_threshold;
  return query;
}

RecallResult ChatStream::AskMemory(const RecallQuery& query) {
  RecallResult result;
  if (options_.recall == RecallMode::kNever) return result;
  const Stopwatch watch;
  // What the question needs of the pending tail is embedded by Recall; the rest waits until the
  // answer has been given.
  journal_.Sync();
  if (auto found = memory_->Recall(query)) {
    result = *std::move(found);
    if (result.fault.empty()) result.fault = journal_.fault();
  } else {
    result.fault = found.error().Message();
  }
  if (!result.fault.empty() && result.decision != RecallDecision::kUsed) {
    result.decision = RecallDecision::kDegraded;
  }
  result.ms = watch.Ms();
  return result;
}

Result<RecallResult> ChatStream::Recall(std::string_view text) { return AskMemory(Query(text)); }

// Recalls for the turn, whose tokens from `split` on are yet to be read, with the n_header tokens
// that make the model answer. Its text from token `asking` <= split on is what asks.
Result<void> ChatStream::RecallInto(const Turn& turn, int64_t asking, int64_t split,
                                    int64_t n_header, anabranch::Answer* answer) {
  const TurnTokens& tokens = turn.tokens;
  const KvContext& kv = context_.kv();
  const int64_t n_rest = tokens.size() - split;
  if (n_rest == 0) {
    // The turn filled the pinned part and no more: there is no place for recalled text.
    if (options_.recall != RecallMode::kNever) answer->recall.decision = RecallDecision::kNone;
    return {};
  }
  RecallQuery query = Query(std::string_view(tokens.text).substr(tokens.TextByte(asking)));
  query.exclude.begin = kv.next() - (split - asking);
  // What the turn itself evicts is out of sight when the answer begins.
  query.window_begin = context_.WindowBeginAfter(n_rest + n_header);
  query.exclude.end = kv.next() + n_rest;
  RecallResult& recall = answer->recall;
  recall = AskMemory(query);
  answer->recall_ms = recall.ms;
  if (recall.decision != RecallDecision::kUsed) return {};

  const std::vector<TokenId> ids =
      RenderRecalled(*parts_.tokenizer, *parts_.chat_template, options_.name, kv.next(),
                     plan_.recall_slots, &recall.passages);
  if (ids.empty()) {
    recall.decision = RecallDecision::kNone;
    return {};
  }
  RETURN_IF_ERROR(context_.Recall(ids));
  answer->recalled_tokens = static_cast<int64_t>(ids.size());
  return {};
}

// Samples the answer of an assistant's turn whose header was just read, and closes it.
Result<void> ChatStream::Generate(Turn turn, const AnswerOptions& options,
                                  anabranch::Answer* answer) {
  const Tokenizer& tokenizer = *parts_.tokenizer;
  const std::vector<TokenId> footer = state_.encoder.AnswerFooter();
  // The model's vocabulary may be padded with rows that are no tokens.
  const int32_t n_vocab = std::min(tokenizer.n_vocab(), parts_.model->config().n_vocab);
  Sampler sampler(options.sampling, n_vocab);
  const auto repeat_last_n = static_cast<size_t>(std::max(0, options.sampling.repeat_last_n));
  Utf8Stream characters;
  const auto say = [&](const std::string& text) {
    if (text.empty()) return;
    answer->text += text;
    if (options.on_text) options.on_text(text);
  };

  Result<void> room;
  answer->stop = StopReason::kLength;
  while (options.max_tokens < 0 || answer->answer_tokens < options.max_tokens) {
    if (IsSet(options.cancel)) {
      answer->stop = StopReason::kInterrupt;
      break;
    }
    ASSIGN_OR_RETURN(const auto logits, context_.Logits());
    const TokenId token = sampler.Sample(logits.first(static_cast<size_t>(n_vocab)),
                                         state_.recent.Last(repeat_last_n));
    if (tokenizer.IsEndOfTurn(token)) {
      answer->stop = StopReason::kEos;
      break;
    }
    room = CheckRoom(1 + static_cast<int64_t>(footer.size()));
    if (!room) break;
    turn.tokens.ids.assign(1, token);
    turn.tokens.text_begin = 0;
    turn.tokens.text_end = 1;
    turn.tokens.text = tokenizer.TokenBytes(token);
    turn.tokens.text_ends.assign(1, static_cast<uint32_t>(turn.tokens.text.size()));
    RETURN_IF_ERROR(ReadBatch(turn, 0, 1, /*generated=*/true));
    ++answer->answer_tokens;
    say(characters.Push(turn.tokens.text));
  }
  // What is left in `characters` is half a character: remembered, but not said.
  turn.tokens = TemplateTokens(footer);
  RETURN_IF_ERROR(ReadAll(turn));
  return room;
}

Result<void> ChatStream::ReadAndAnswer(const Turn& turn, const AnswerOptions& options,
                                       anabranch::Answer* answer, KvContext* at_split) {
  Turn reply{.number = turn.number + 1, .role = Role::kAssistant, .time_ms = NowMs(), .tokens = {}};
  reply.tokens = TemplateTokens(state_.encoder.AnswerHeader());
  const int64_t n_header = reply.tokens.size();
  const KvSizes& sizes = context_.kv().sizes();
  // Pinned tokens are never evicted, so they are not to be computed with text that will leave.
  const int64_t unpinned = sizes.first + sizes.n_pinned - context_.kv().next();
  const int64_t asking = turn.tokens.SplitBefore(std::max<int64_t>(1, plan_.recent_size / 2));
  const int64_t split = std::min(turn.tokens.size(), std::max(asking, unpinned));

  const Stopwatch prefill;
  answer->stop = StopReason::kInterrupt;
  ASSIGN_OR_RETURN(const bool lead_read, ReadTokens(turn, 0, split, options.cancel));
  if (!lead_read) return {};
  *at_split = context_.kv();
  RETURN_IF_ERROR(RecallInto(turn, asking, split, n_header, answer));
  if (options.on_recall) options.on_recall(answer->recall);
  ASSIGN_OR_RETURN(const bool rest_read,
                   ReadTokens(turn, split, turn.tokens.size(), options.cancel));
  if (!rest_read) return {};
  ++state_.next_turn;
  journal_.SetSource("");
  RETURN_IF_ERROR(ReadAll(reply));
  answer->prompt_tokens = turn.tokens.size() + n_header;
  answer->prefill_ms = prefill.Ms() - answer->recall_ms;

  const Stopwatch decode;
  const Result<void> generated = Generate(std::move(reply), options, answer);
  answer->decode_ms = decode.Ms();
  return generated;
}

// Reads turn and answer again from the split, without what was recalled. What is longer than the
// ring's spare room (a window, see PlanSizes) has overwritten what the split saw, and stays as it
// is.
Result<void> ChatStream::Reread(const KvContext& at_split) {
  if (!context_.CanRewind(at_split)) return {};
  const KvContext end = context_.kv();
  const auto n = static_cast<size_t>(end.next() - at_split.next());
  context_.Rewind(at_split);
  for (auto rest = state_.recent.Last(n); !rest.empty();) {
    const size_t batch = std::min(rest.size(), static_cast<size_t>(context_.max_rows()));
    if (auto read = context_.Step(rest.first(batch)); !read) {
      // The slots hold the same tokens either way.
      context_.Rewind(end);
      return read;
    }
    rest = rest.subspan(batch);
  }
  return {};
}

Result<anabranch::Answer> ChatStream::Answer(std::string_view user_text,
                                             const AnswerOptions& options) {
  TurnEncoder encoder = state_.encoder;
  Turn turn{.number = state_.next_turn,
            .role = Role::kUser,
            .time_ms = options.time_ms != 0 ? options.time_ms : NowMs(),
            .tokens = encoder.Turn(Role::kUser, user_text)};
  const size_t frame = encoder.AnswerHeader().size() + encoder.AnswerFooter().size();
  RETURN_IF_ERROR(CheckRoom(turn.tokens.size() + static_cast<int64_t>(frame) + 1));
  state_.encoder = encoder;
  ++state_.next_turn;

  anabranch::Answer answer;
  answer.turn = turn.number;
  const int64_t evicted_before = stats().evicted;
  KvContext at_split = context_.kv();
  Result<void> answered = ReadAndAnswer(turn, options, &answer, &at_split);
  if (context_.kv().has_recalled()) {
    context_.Retract();
    if (answered && options_.retract == RetractMode::kReread) answered = Reread(at_split);
  }
  RememberUserTurn(user_text);
  journal_.Index(true);
  state_.unindexed = 0;
  RETURN_IF_ERROR(std::move(answered));

  if (answer.recall.fault.empty() && !journal_.fault().empty()) {
    answer.recall.fault = journal_.fault();
    if (answer.recall.decision != RecallDecision::kUsed) {
      answer.recall.decision = RecallDecision::kDegraded;
    }
  }
  answer.evicted_tokens = stats().evicted - evicted_before;
  answer.window = {context_.kv().window_begin(), context_.kv().next()};
  return answer;
}

}  // namespace anabranch
