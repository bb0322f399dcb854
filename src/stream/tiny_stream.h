// A tiny model with its tokenizer and template, and streams over it: for tests.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/thread_pool.h"
#include "io/gguf.h"
#include "kernels/cpu_exec.h"
#include "model/model.h"
#include "stream/chat_stream.h"
#include "support/tiny_model.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace anabranch::testing {

class TinyStreams {
 public:
  static constexpr int32_t kMaxBatch = 16;

  explicit TinyStreams(const TinyModelOptions& options = {}, int32_t max_batch = kMaxBatch)
      : bytes_(TinyModelGguf(options)),
        file_(GgufFile::Parse(std::as_bytes(std::span(bytes_)), "tiny.gguf").value()),
        chat_template_(FindChatTemplate("chatml").value()),
        max_batch_(max_batch) {
    TokenizerSpec spec;
    spec.model = "gpt2";
    spec.pre = "smollm";
    const auto tokens = file_.Strings("tokenizer.ggml.tokens").value();
    const auto merges = file_.Strings("tokenizer.ggml.merges").value();
    spec.tokens.assign(tokens.begin(), tokens.end());
    spec.merges.assign(merges.begin(), merges.end());
    spec.types.assign(spec.tokens.size(), static_cast<int32_t>(TokenType::kNormal));
    for (const int32_t control : {kTinyEndOfText, kTinyImStart, kTinyImEnd}) {
      spec.types[static_cast<size_t>(control)] = static_cast<int32_t>(TokenType::kControl);
    }
    spec.bos = kTinyImStart;
    spec.eos = kTinyImEnd;
    tokenizer_ = CreateTokenizer(std::move(spec)).value();
    const ModelOptions model_options{.max_batch = max_batch};
    const ModelConfig config = ReadModelConfig(file_).value();
    exec_ = CpuExec::Create(*SelectKernels("").value(), pool_, ModelLimits(config, model_options))
                .value();
    model_ = OpenModel(file_, *exec_, model_options).value();
  }

  StreamParts parts() const {
    return {.model = model_.get(),
            .exec = exec_.get(),
            .tokenizer = tokenizer_.get(),
            .chat_template = &chat_template_,
            .max_batch = max_batch_,
            .memory = nullptr};
  }
  std::unique_ptr<ChatStream> Open(const StreamOptions& options,
                                   std::unique_ptr<StreamMemory> memory = nullptr) const {
    return ChatStream::Open(parts(), options, std::move(memory)).value();
  }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const ChatTemplate& chat_template() const { return chat_template_; }
  Model& model() const { return *model_; }
  CpuExec& exec() const { return *exec_; }

 private:
  std::string bytes_;
  GgufFile file_;
  ChatTemplate chat_template_;
  int32_t max_batch_;
  ThreadPool pool_{1};
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<CpuExec> exec_;
  std::unique_ptr<Model> model_;
};

}  // namespace anabranch::testing
