// A sentence embedder from its folder (model.safetensors, config.json, vocab.txt), ready to run.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "kernels/cpu_exec.h"
#include "memory/memory.h"
#include "model/embedder.h"
#include "text/wordpiece.h"

namespace anabranch {

// What verify needs of an embedder: its fingerprint and vocabulary, without its weights in memory.
class EmbedderVocabulary {
 public:
  // Errors as EmbedderFolder's.
  static Result<std::unique_ptr<EmbedderVocabulary>> Open(const std::string& path);
  // Fingerprint and count_pieces alone; valid while this lives.
  EmbedderHandle Handle() const;

 private:
  EmbedderVocabulary() = default;

  std::string fingerprint_;
  std::unique_ptr<WordPiece> word_piece_;
};

class EmbedderFolder {
 public:
  // The pool must outlive it. Errors name the file of the folder that is missing or wrong.
  static Result<std::unique_ptr<EmbedderFolder>> Open(const std::string& path,
                                                      const KernelTable& table, ThreadPool& pool);

  const EmbedderConfig& config() const { return embedder_->config(); }
  // Valid while this lives; its functions run on this embedder's Exec, one thread at a time.
  EmbedderHandle Handle();

 private:
  EmbedderFolder() = default;
  Result<void> Embed(std::span<const std::string_view> texts, std::span<float> out);
  void Scan(std::span<const float> vectors, std::span<const float> query, std::span<float> scores);

  std::string fingerprint_;
  std::unique_ptr<WordPiece> word_piece_;
  std::unique_ptr<CpuExec> exec_;
  std::unique_ptr<Embedder> embedder_;
};

}  // namespace anabranch
