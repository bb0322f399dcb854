// EvaluateRecall: conversations into memories, questions to them, and what came back.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "anabranch/evaluation.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/embedder_folder.h"
#include "engine/embedding_cache.h"
#include "engine/eval_arms.h"
#include "engine/eval_chunks.h"
#include "engine/eval_conversation.h"
#include "engine/tokenizer_spec.h"
#include "io/gguf.h"
#include "memory/memory.h"

namespace anabranch {
namespace {

// A chat template's tokens around a turn: positions without text.
constexpr size_t kHeaderTokens = 3, kFooterTokens = 2;

// Whether passages hold a group of evidence: the number of the first that does; -1: none.
int64_t FindHolding(std::span<const Passage> passages, std::span<const std::string> group) {
  for (size_t i = 0; i < passages.size(); ++i) {
    if (std::all_of(group.begin(), group.end(), [&](const std::string& words) {
          return HoldsWords(passages[i].text, words);
        })) {
      return static_cast<int64_t>(i);
    }
  }
  return -1;
}

void Judge(const EvalQuestion& question, const RecallResult& result, RecallCase* judged) {
  judged->recalled = result.decision == RecallDecision::kUsed;
  judged->passages = static_cast<int64_t>(result.passages.size());
  for (const Passage& passage : result.passages) judged->tokens += passage.span.size();
  int64_t last = -1;
  for (const std::vector<std::string>& group : question.evidence) {
    const int64_t at = FindHolding(result.passages, group);
    judged->held.push_back(at >= 0);
    if (at < 0) continue;
    judged->in_order = judged->in_order && at >= last;
    last = at;
  }
  judged->score = result.best_score;
  judged->threshold = result.threshold;
  const std::vector<Passage>& seen = result.passages.empty() ? result.rejected : result.passages;
  for (const Passage& passage : seen) {
    judged->cosine = std::max(judged->cosine, passage.score);
    judged->words = std::max(judged->words, passage.lexical);
  }
}

class Evaluation {
 public:
  explicit Evaluation(const RecallEvaluationOptions& options)
      : options_(options),
        pool_(options.n_threads > 0 ? options.n_threads : ThreadPool::AvailableCpus()) {}

  Result<void> Run() {
    for (const std::string& name : options_.arms) {
      const auto arm = std::find_if(EvalArms().begin(), EvalArms().end(),
                                    [&](const EvalArm& known) { return known.name == name; });
      if (arm == EvalArms().end()) {
        return Fail(ErrorKind::kInvalid, "arm '" + name + "'", "is not one of ours",
                    "eval recall --list-arms names them");
      }
      arms_.push_back(&*arm);
    }
    std::vector<EvalConversation> conversations;
    for (const std::string& path : options_.conversations) {
      ASSIGN_OR_RETURN(EvalConversation conversation, ReadEvalConversation(path));
      conversations.push_back(std::move(conversation));
    }
    ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(options_.tokenizer));
    ASSIGN_OR_RETURN(TokenizerSpec spec, ReadTokenizerSpec(file));
    ASSIGN_OR_RETURN(tokenizer_, CreateTokenizer(std::move(spec)));
    ASSIGN_OR_RETURN(const KernelTable* table, SelectKernels(options_.kernels));
    ASSIGN_OR_RETURN(const auto folder, EmbedderFolder::Open(options_.embedder, *table, pool_));
    for (const EvalConversation& conversation : conversations) {
      EmbeddingCache cache(folder->Handle());
      cache_ = &cache;
      for (const EvalArm* arm : arms_) RETURN_IF_ERROR(RunArm(conversation, *arm));
    }
    return {};
  }

 private:
  using Ask = std::function<Result<RecallResult>(const EvalQuestion&, int32_t budget)>;

  Result<void> RunArm(const EvalConversation& conversation, const EvalArm& arm) {
    std::vector<std::pair<const EvalQuestion*, RecallCase>> cases;
    for (const int32_t budget : options_.budgets) {
      for (const EvalQuestion& question : conversation.questions) {
        RecallCase named;
        named.conversation = conversation.name;
        named.arm = arm.name;
        named.budget = budget;
        named.id = question.id;
        named.kind = question.kind;
        named.traits = question.traits;
        if (!options_.is_done || !options_.is_done(named)) cases.emplace_back(&question, named);
      }
    }
    if (cases.empty()) return {};
    stage_ = conversation.name + " " + arm.name;
    std::unique_ptr<Memory> memory;
    std::unique_ptr<StreamMemory> stream;
    std::optional<HardChunks> chunks;
    Ask ask;
    if (arm.hard_chunk > 0) {
      ASSIGN_OR_RETURN(chunks, CutHard(conversation, arm.hard_chunk));
      ask = [&chunks](const EvalQuestion& question, int32_t budget) {
        return chunks->Recall(question.turn, budget);
      };
    } else {
      EmbedderHandle embedder = cache_->Handle();
      embedder.units = arm.units;
      ASSIGN_OR_RETURN(memory, OpenMemory("", std::move(embedder)));
      ASSIGN_OR_RETURN(stream, memory->OpenStream(conversation.name, "evaluation"));
      RETURN_IF_ERROR(Remember(conversation, *stream));
      ask = [&stream, &arm](const EvalQuestion& question, int32_t budget) {
        RecallQuery query;
        query.turn_text = question.turn;
        query.previous_user_turn = question.previous;
        query.mode = RecallMode::kAlways;
        query.chunk_size = std::min(arm.chunk_size, budget);
        query.recall_tokens = budget;
        query.threshold = arm.threshold;
        query.policy = &arm.policy;
        return stream->Recall(query);
      };
    }
    for (size_t i = 0; i < cases.size(); ++i) {
      RETURN_IF_ERROR(Step(static_cast<int64_t>(i), static_cast<int64_t>(cases.size())));
      auto& [question, judged] = cases[i];
      cache_->TakeSavedMs();
      ASSIGN_OR_RETURN(const RecallResult result, ask(*question, judged.budget));
      Judge(*question, result, &judged);
      judged.ms = result.ms + cache_->TakeSavedMs();
      RETURN_IF_ERROR(options_.on_case(judged));
    }
    return {};
  }

  Result<HardChunks> CutHard(const EvalConversation& conversation, int32_t chunk_size) {
    std::string text;
    for (const EvalMessage& message : conversation.messages) text += message.content + "\n";
    return HardChunks::Create(text, chunk_size, *tokenizer_, cache_->Handle());
  }

  // Into the journal and the index, as a stream would write it.
  Result<void> Remember(const EvalConversation& conversation, StreamMemory& stream) {
    JournalRecord record;
    const auto append = [&](RecordKind kind, std::string_view text, size_t n_template) {
      record.begin = record.end();
      record.kind = kind;
      record.bytes = text;
      record.ids = tokenizer_->Encode(text);
      record.token_ends = tokenizer_->TokenEnds(record.ids, text);
      record.ids.resize(record.ids.size() + n_template, TokenId(0));
      return stream.Append(record);
    };
    for (const EvalMessage& message : conversation.messages) {
      record.role = message.role;
      record.time_ms = message.time_ms;
      RETURN_IF_ERROR(append(RecordKind::kTemplate, "", kHeaderTokens));
      RETURN_IF_ERROR(append(RecordKind::kText, message.content, 0));
      RETURN_IF_ERROR(append(RecordKind::kTemplate, "", kFooterTokens));
      RETURN_IF_ERROR(stream.Sync());
      RETURN_IF_ERROR(stream.Index(false));
      ++record.turn;
      RETURN_IF_ERROR(Step(record.turn, static_cast<int64_t>(conversation.messages.size())));
    }
    return stream.Index(true);
  }

  Result<void> Step(int64_t done, int64_t total) const {
    if (options_.cancel != nullptr && *options_.cancel) {
      return Fail(ErrorKind::kInterrupted, "evaluation", "was interrupted");
    }
    if (options_.on_progress) options_.on_progress({stage_.c_str(), done, total});
    return {};
  }

  const RecallEvaluationOptions& options_;
  ThreadPool pool_;
  std::unique_ptr<Tokenizer> tokenizer_;
  EmbeddingCache* cache_ = nullptr;  // of the conversation
  std::vector<const EvalArm*> arms_;
  std::string stage_;
};

}  // namespace

std::vector<RecallArmInfo> RecallArms() {
  std::vector<RecallArmInfo> infos;
  for (const EvalArm& arm : EvalArms()) infos.push_back({arm.name, arm.what});
  return infos;
}

Result<void> EvaluateRecall(const RecallEvaluationOptions& options) {
  return Evaluation(options).Run();
}

}  // namespace anabranch
