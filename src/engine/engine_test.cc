#include "anabranch/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/thread_pool.h"
#include "engine/fingerprint.h"
#include "engine/perplexity.h"
#include "io/gguf.h"
#include "kernels/cpu_exec.h"
#include "stream/context.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

// The tiny embedder knows letters and digits, no words: a text of digits is far from all others.
const std::string kFact = "4711 9988 7766 5544 3322 6655. ";
const char* const kQuestion = "4711 9988 7766 5544 3322 ?";

template <typename T>
void ExpectError(const Result<T>& result, ErrorKind kind, const char* part) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, kind);
  EXPECT_THAT(result.error().Message(), HasSubstr(part));
}

EngineOptions At(const std::string& memory, const std::string& embedder = "") {
  EngineOptions options;
  options.memory = memory;
  options.embedder = embedder;
  return options;
}

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    options_.model = dir_.WriteFile("tiny.gguf", testing::TinyModelGguf({.n_ctx_train = 1024}));
    options_.n_threads = 1;
    testing::WriteTinyEmbedder(dir_.path());
    stream_.recent_size = 128;
    stream_.recall_tokens = 150;
    stream_.system = "be kind";
    answer_.max_tokens = 8;
  }
  std::unique_ptr<Engine> Open() {
    auto engine = Engine::Open(options_);
    EXPECT_TRUE(engine) << engine.error().Message();
    return *std::move(engine);
  }
  std::unique_ptr<Engine> OpenWithMemory() {
    options_.embedder = dir_.path();
    stream_.recall = RecallMode::kEvicted;
    stream_.recall_threshold = -1.0f;
    return Open();
  }
  static std::string Facts() {
    std::string text;
    for (int i = 0; i < 12; ++i) {
      text += "The box number " + std::to_string(i) + " holds a thing that nobody has seen. ";
    }
    return text;
  }

  testing::TempDir dir_;
  EngineOptions options_;
  StreamOptions stream_;
  AnswerOptions answer_;
};

TEST_F(EngineTest, SaysWhatItLoaded) {
  std::vector<int64_t> done;
  options_.on_progress = [&](const Progress& progress) { done.push_back(progress.done); };
  options_.kernels = "ref";
  const auto engine = Open();
  const ModelInfo& info = engine->info();
  EXPECT_EQ(info.architecture, "llama");
  EXPECT_EQ(info.chat_template, "chatml");
  EXPECT_EQ(info.kernels, "ref");
  EXPECT_EQ(info.n_layers, 2);
  EXPECT_EQ(info.n_embd, 64);
  EXPECT_EQ(info.n_ctx_train, 1024);
  EXPECT_EQ(info.n_threads, 1);
  EXPECT_GT(info.weight_bytes, 0);
  EXPECT_GT(info.load_ms, 0);
  EXPECT_EQ(done.front(), 0);
  EXPECT_GT(done.back(), 0);
}

TEST_F(EngineTest, WhatIsMissingIsNamed) {
  const auto open = [&](auto change) {
    EngineOptions options = options_;
    change(&options);
    return Engine::Open(options);
  };
  ExpectError(open([&](EngineOptions* o) { o->model = dir_.File("none.gguf"); }),
              ErrorKind::kNotFound, "none.gguf");
  ExpectError(open([&](EngineOptions* o) { o->embedder = dir_.File("none"); }),
              ErrorKind::kNotFound, "none");
  ExpectError(open([](EngineOptions* o) { o->kernels = "abacus"; }), ErrorKind::kInvalid, "abacus");
  ExpectError(open([](EngineOptions* o) { o->chat_template = "smalltalk"; }), ErrorKind::kInvalid,
              "chatml");
}

TEST_F(EngineTest, RecallWithoutAnEmbedderNamesTheFlag) {
  const auto engine = Open();
  stream_.recall = RecallMode::kEvicted;
  ExpectError(engine->OpenStream(stream_), ErrorKind::kInvalid, "--embedder");
}

TEST_F(EngineTest, AStreamNameHasOneWriter) {
  const auto engine = OpenWithMemory();
  const auto first = engine->OpenStream(stream_);
  ASSERT_TRUE(first);
  ExpectError(engine->OpenStream(stream_), ErrorKind::kBusy, "default");
  stream_.name = "other";
  EXPECT_TRUE(engine->OpenStream(stream_));
}

TEST_F(EngineTest, RecallsWhatHasLeftTheWindow) {
  const auto engine = OpenWithMemory();
  const auto stream = engine->OpenStream(stream_).value();
  ASSERT_TRUE(stream->Read(Role::kUser, kFact + Facts()));
  const auto answer = stream->Answer(kQuestion, answer_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->recall.decision, RecallDecision::kUsed) << answer->recall.fault;
  std::string recalled;
  for (const Passage& passage : answer->recall.passages) recalled += passage.text;
  EXPECT_THAT(recalled, HasSubstr("6655"));
  EXPECT_GT(answer->recalled_tokens, 0);
  EXPECT_LE(answer->recalled_tokens, stream->plan().recall_slots);
}

TEST_F(EngineTest, ForksAskedInAnyOrderSayTheSame) {
  const auto engine = OpenWithMemory();
  const auto stream = engine->OpenStream(stream_).value();
  ASSERT_TRUE(stream->Read(Role::kUser, kFact + Facts()));
  const auto ask = [&](std::vector<RecallMode> modes) {
    std::map<RecallMode, std::string> said;
    for (const RecallMode mode : modes) {
      const auto fork = stream->Fork().value();
      EXPECT_TRUE(fork->SetRecall(mode));
      for (const char* question : {kQuestion, "What does box number 5 hold?"}) {
        const auto answer = fork->Answer(question, answer_);
        EXPECT_TRUE(answer);
        said[mode] += answer->text + "|";
        for (const Passage& passage : answer->recall.passages) said[mode] += passage.text + "|";
      }
    }
    return said;
  };
  const auto one = ask({RecallMode::kNever, RecallMode::kEvicted, RecallMode::kAlways});
  const auto other = ask({RecallMode::kAlways, RecallMode::kNever, RecallMode::kEvicted});
  EXPECT_EQ(one, other);
  EXPECT_NE(one.at(RecallMode::kNever), one.at(RecallMode::kEvicted));
}

TEST_F(EngineTest, MemoryOutlivesTheEngine) {
  options_.memory = dir_.File("memory.db");
  {
    const auto engine = OpenWithMemory();
    const auto stream = engine->OpenStream(stream_).value();
    ASSERT_TRUE(stream->Read(Role::kUser, kFact));
    ASSERT_TRUE(stream->Answer("Is that so?", answer_));
  }
  const auto file = MemoryFile::Open(At("sqlite:" + options_.memory, options_.embedder));
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->List()->size(), 1u);
  const auto found = (*file)->Search("default", kQuestion, 1);
  ASSERT_TRUE(found && found->size() == 1);
  EXPECT_THAT((*found)[0].text, HasSubstr("6655"));
  EXPECT_TRUE((*file)->Verify()->ok);
  const auto blind = MemoryFile::Open(At(options_.memory)).value();
  ExpectError(blind->Search("default", kQuestion, 1), ErrorKind::kInvalid, "--embedder");
}

TEST_F(EngineTest, TheFirstQuestionOfALaterRunRecallsWhatAnEarlierOneRead) {
  options_.memory = dir_.File("memory.db");
  stream_.system.clear();
  {
    const auto engine = OpenWithMemory();
    ASSERT_TRUE(engine->OpenStream(stream_).value()->Read(Role::kUser, kFact));
  }
  const auto engine = OpenWithMemory();
  stream_.resume = ResumeMode::kCold;  // with its window it would see the fact
  const auto answer = engine->OpenStream(stream_).value()->Answer(kQuestion, answer_);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->recall.passages.size(), 1u);
  EXPECT_THAT(answer->recall.passages[0].text, HasSubstr("6655"));
  EXPECT_GT(answer->recalled_tokens, 0);
}

TEST_F(EngineTest, RecallsFromTheStreamsThatAreNamed) {
  options_.memory = dir_.File("memory.db");
  options_.chat_template = "llama3";  // to write the stream anew for this model takes an import
  stream_.name = "notes";
  ASSERT_TRUE(OpenWithMemory()->OpenStream(stream_).value()->Read(Role::kUser, kFact));
  options_.chat_template.clear();
  const auto engine = OpenWithMemory();
  EXPECT_FALSE(engine->OpenStream(stream_));
  stream_.name = "work";
  stream_.recall_from = {"none"};
  ExpectError(engine->OpenStream(stream_), ErrorKind::kNotFound, "memory list");
  stream_.recall_from.clear();
  EXPECT_TRUE(
      engine->OpenStream(stream_).value()->Answer(kQuestion, answer_)->recall.passages.empty());

  stream_.recall_from = {"notes", "work", "notes"};
  const auto stream = engine->OpenStream(stream_).value();
  const auto answer = stream->Answer(kQuestion, answer_);
  ASSERT_TRUE(answer);
  std::string text;
  for (const Passage& passage : answer->recall.passages) {
    EXPECT_EQ(passage.stream, "notes");
    text += passage.text;
  }
  EXPECT_THAT(text, HasSubstr("6655"));
  EXPECT_GT(answer->recalled_tokens, 0);
  const auto fork = stream->Fork().value();
  EXPECT_EQ(fork->Recall(kQuestion)->passages.size(), stream->Recall(kQuestion)->passages.size());
}

TEST_F(EngineTest, ForgettingLeavesNothingToRecall) {
  const auto engine = OpenWithMemory();
  const auto stream = engine->OpenStream(stream_).value();
  ASSERT_TRUE(stream->Read(Role::kUser, kFact + Facts()));
  const auto forgotten = stream->Forget({.all = true});
  ASSERT_TRUE(forgotten) << forgotten.error().Message();
  EXPECT_TRUE(forgotten->done);
  EXPECT_GT(forgotten->text_bytes, 500);
  const auto answer = stream->Answer(kQuestion, answer_);
  ASSERT_TRUE(answer);
  for (const Passage& passage : answer->recall.passages) {
    EXPECT_EQ(passage.text.find("6655"), std::string::npos);
  }
  EXPECT_EQ(answer->recall.fault, "");
}

TEST(MemoryFile, MissingFileIsNotMade) {
  const testing::TempDir dir;
  ExpectError(MemoryFile::Open(At(dir.File("none.db"))), ErrorKind::kNotFound, "none.db");
  ExpectError(MemoryFile::Open(At("sqlite:")), ErrorKind::kInvalid, "--memory");
}

TEST_F(EngineTest, TokenizerFileKnowsWhatTheEngineKnows) {
  const auto file = TokenizerFile::Open(options_.model);
  ASSERT_TRUE(file);
  const std::string text = "the théâtre <|im_end|>";
  const std::vector<TokenId> ids = (*file)->Encode(text);
  EXPECT_EQ(ids, Open()->Tokenize(text));
  EXPECT_EQ((*file)->Decode(ids).value(), text);
  EXPECT_EQ((*file)->EncodeTemplate("<|im_end|>").size(), 1u);
  EXPECT_EQ((*file)->TokenText(TokenId(testing::kTinyImEnd)), "<|im_end|>");
  const TokenId outside(1 << 20);
  ExpectError((*file)->Decode({&outside, 1}), ErrorKind::kInvalid, "1048576");
}

TEST_F(EngineTest, InspectListsWhatAFileHolds) {
  const auto gguf = InspectFile(options_.model);
  ASSERT_TRUE(gguf);
  EXPECT_EQ(gguf->format, "GGUF v3");
  int64_t bytes = 0;
  for (const TensorInfo& tensor : gguf->tensors) bytes += tensor.bytes;
  EXPECT_GT(bytes, 0);
  EXPECT_LT(bytes, gguf->bytes);
  EXPECT_EQ(gguf->tensors[0].type, "F32");
  EXPECT_EQ(gguf->kernels, SelectKernels("").value()->name);
  for (const TensorInfo& tensor : gguf->tensors) {
    EXPECT_EQ(tensor.products, tensor.shape.size() == 2 ? "floats" : "") << tensor.name;
  }
  const auto folder = InspectFile(dir_.path());
  ASSERT_TRUE(folder);
  EXPECT_EQ(folder->format, "safetensors");
  EXPECT_FALSE(folder->tensors.empty());
  ExpectError(InspectFile(dir_.File("none")), ErrorKind::kNotFound, "none");
  EXPECT_FALSE(InspectFile(dir_.WriteFile("page.html", "<!doctype html><html></html>")));
}

TEST_F(EngineTest, PlanIsThatOfTheOpenedStream) {
  stream_.system.clear();
  const auto plan = PlanStream(options_.model, stream_);
  ASSERT_TRUE(plan);
  const auto engine = Open();
  const auto stream = engine->OpenStream(stream_).value();
  EXPECT_EQ(plan->kv_bytes, stream->plan().kv_bytes);
  EXPECT_EQ(plan->kv_slots, stream->plan().kv_slots);
  EXPECT_EQ(plan->recent_size, 128);
}

TEST_F(EngineTest, KeptSystemPromptIsPinned) {
  stream_.keep = -1;
  const auto engine = Open();
  const auto all = engine->OpenStream(stream_).value();
  EXPECT_EQ(all->plan().n_pinned, all->stats().next.value());
  stream_.keep = 6;
  EXPECT_EQ(engine->OpenStream(stream_).value()->plan().n_pinned, 6);
  stream_.keep = 2;
  EXPECT_EQ(engine->OpenStream(stream_).value()->plan().n_pinned, 4) << "the sinks";
}

TEST_F(EngineTest, ModelWithoutAKnownTemplateStillMeasures) {
  std::string bytes = testing::TinyModelGguf({.n_ctx_train = 1024});
  // The key is there, under another name.
  bytes[bytes.find("tokenizer.chat_template") + 10] = 'x';
  options_.model = dir_.WriteFile("bare.gguf", bytes);
  {
    const auto engine = Open();
    EXPECT_EQ(engine->info().chat_template, "");
    EXPECT_TRUE(engine->Perplexity(Facts(), {}));
    ExpectError(engine->OpenStream(stream_), ErrorKind::kUnsupported, "--chat-template");
  }
  options_.chat_template = "chatml";
  EXPECT_TRUE(Open()->OpenStream(stream_));
}

TEST_F(EngineTest, PerplexityIsThatOfSingleSteps) {
  const auto engine = Open();
  PerplexityOptions options;
  options.recent_size = 100;
  options.max_tokens_read = 700;  // more than a batch, the window overflows
  std::vector<double> nll;
  options.on_token = [&](int64_t token, double value) {
    EXPECT_EQ(token, static_cast<int64_t>(nll.size()) + 1);
    nll.push_back(value);
  };
  const auto report = engine->Perplexity(Facts(), options);
  ASSERT_TRUE(report);
  const std::vector<TokenId> ids = engine->Tokenize(Facts());
  ASSERT_GT(ids.size(), 300u);
  const size_t n = std::min<size_t>(ids.size(), 700);
  ASSERT_EQ(report->tokens, static_cast<int64_t>(n) - 1);

  const GgufFile file = GgufFile::Open(options_.model).value();
  ThreadPool pool(1);
  const ModelOptions single{.max_batch = 1};
  const auto exec = CpuExec::Create(*SelectKernels("ref").value(), pool,
                                    ModelLimits(ReadModelConfig(file).value(), single))
                        .value();
  const auto model = OpenModel(file, *exec, single).value();
  Context context = Context::Create(*model, *exec,
                                    {.n_pinned = 4,
                                     .recent_size = 100,
                                     .max_batch = 1,
                                     .recall_slots = 0,
                                     .first = StreamPos(0)},
                                    1)
                        .value();
  double sum = 0;
  for (size_t i = 0; i + 1 < n; ++i) {
    ASSERT_TRUE(context.Step({&ids[i], 1}));
    const auto logits = context.Logits().value();
    double total = 0;
    for (const float logit : logits) total += std::exp(static_cast<double>(logit));
    const double want = std::log(total) - logits[static_cast<size_t>(ids[i + 1].value())];
    EXPECT_NEAR(nll[i], want, 2e-2);
    sum += nll[i];
  }
  EXPECT_NEAR(report->nll_mean, sum / static_cast<double>(n - 1), 1e-9);
  EXPECT_NEAR(report->ppl, std::exp(report->nll_mean), 1e-9);
}

TEST_F(EngineTest, DensePerplexityOfALongTextNamesTheFlag) {
  const auto engine = Open();
  PerplexityOptions options;
  options.streaming = false;
  const std::string text(1025, 'z');
  ASSERT_GT(engine->Tokenize(text).size(), 1024u);
  ExpectError(engine->Perplexity(text, options), ErrorKind::kLimit, "--enable-streaming");
  options.max_tokens_read = 1024;
  EXPECT_TRUE(engine->Perplexity(text, options));
  ExpectError(engine->Perplexity("", options), ErrorKind::kInvalid, "0 tokens");
}

TEST_F(EngineTest, BosIsReadOnlyWhenAskedFor) {
  const auto engine = Open();
  PerplexityOptions options;
  const int64_t without = engine->Perplexity(Facts(), options)->tokens;
  options.add_bos = true;
  EXPECT_EQ(engine->Perplexity(Facts(), options)->tokens, without + 1);
}

TEST_F(EngineTest, PerplexityCanBeInterrupted) {
  const std::atomic<bool> cancel = true;
  PerplexityOptions options;
  options.cancel = &cancel;
  ExpectError(Open()->Perplexity(Facts(), options), ErrorKind::kInterrupted, "interrupted");
}

TEST_F(EngineTest, BenchGivesOneFigurePerRepeat) {
  BenchOptions options;
  options.recent_size = 64;
  options.repeats = 2;
  options.decode_tokens = 4;
  options.stream_tokens = 2500;
  const auto report = Open()->Bench(options);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->window, 64);
  ASSERT_EQ(report->prefill_tps.size(), 2u);
  ASSERT_EQ(report->decode_ms.size(), 2u);
  for (const double value : report->prefill_tps) EXPECT_GT(value, 0);
  for (const double value : report->decode_ms) EXPECT_GT(value, 0);
  ASSERT_EQ(report->reading_tps.size(), 2u);
  for (const double value : report->reading_tps) EXPECT_GT(value, 0);
  EXPECT_GT(report->limits.read_bytes_per_s, 0);
  EXPECT_GT(report->limits.multiply_adds_per_s, report->limits.float_multiply_adds_per_s);
  EXPECT_GT(report->token_bytes, 0);
  EXPECT_GT(report->decode_floor_ms, 0);
  EXPECT_GT(report->prefill_floor_tps, report->reading_floor_tps);
  EXPECT_EQ(report->token_ms.size(), 8u);
  EXPECT_TRUE(report->token_ms_writing.empty());
  EXPECT_EQ(report->stream_ms.size(), 2u);
  options.memory_folder = "/no/such/folder";
  EXPECT_EQ(Open()->Bench(options).error().kind, ErrorKind::kIo);
  options.memory_folder = ::testing::TempDir();
  EXPECT_EQ(Open()->Bench(options)->token_ms_writing.size(), 8u);
  options.repeats = 0;
  EXPECT_FALSE(Open()->Bench(options));
}

TEST(NegativeLogLikelihood, IsThatOfTheSoftmax) {
  const std::vector<float> logits = {1.0f, 3.0f, 2.0f, 80.0f};
  EXPECT_NEAR(NegativeLogLikelihood(logits, TokenId(3)), 0, 1e-6);
  EXPECT_NEAR(NegativeLogLikelihood(logits, TokenId(1)), 77, 1e-5);
  const std::vector<float> flat(10, -4.0f);
  EXPECT_NEAR(NegativeLogLikelihood(flat, TokenId(7)), std::log(10.0), 1e-6);
}

TEST(Fingerprint, TellsTokenizersApart) {
  TokenizerSpec spec;
  spec.model = "gpt2";
  spec.tokens = {"ab", "c"};
  TokenizerSpec other = spec;
  EXPECT_EQ(TokenizerFingerprint(spec), TokenizerFingerprint(other));
  other.tokens = {"a", "bc"};
  EXPECT_NE(TokenizerFingerprint(spec), TokenizerFingerprint(other));
  other = spec;
  other.merges = {"a b"};
  EXPECT_NE(TokenizerFingerprint(spec), TokenizerFingerprint(other));
}

TEST(BuildInfo, NamesTheKernelsBestFirst) {
  const BuildInfo info = GetBuildInfo();
  EXPECT_FALSE(info.version.empty());
  EXPECT_FALSE(info.compiler.empty());
  EXPECT_EQ(info.kernels.back(), "ref");
  EXPECT_EQ(info.kernels.front(), SelectKernels("").value()->name);
}

}  // namespace
}  // namespace anabranch
