#include "engine/embedder_folder.h"

#include <vector>

#include "engine/fingerprint.h"
#include "io/mapped_file.h"
#include "io/safetensors.h"

namespace anabranch {
namespace {

std::string_view Text(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

std::string FingerprintOf(const MappedFile& weights, const MappedFile& vocab) {
  const std::span<const std::byte> hashed[] = {weights.bytes(), vocab.bytes()};
  return Fingerprint(hashed);
}

CountPieces CounterOf(const WordPiece& word_piece) {
  return [&word_piece](std::string_view text) {
    return static_cast<int>(word_piece.Encode(text).size());
  };
}

// A matrix over memory that the backend only reads: on CPUs an ordinary address.
Mat ReadOnly(std::span<const float> values, int32_t rows, int32_t cols) {
  auto* bytes = reinterpret_cast<unsigned char*>(const_cast<float*>(values.data()));
  return {.data = {bytes}, .rows = rows, .cols = cols, .stride = cols, .dtype = DType::kF32};
}

}  // namespace

Result<std::unique_ptr<EmbedderVocabulary>> EmbedderVocabulary::Open(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile weights, MappedFile::Open(path + "/model.safetensors"));
  ASSIGN_OR_RETURN(const MappedFile vocab, MappedFile::Open(path + "/vocab.txt"));
  std::unique_ptr<EmbedderVocabulary> vocabulary(new EmbedderVocabulary);
  ASSIGN_OR_RETURN(vocabulary->word_piece_, WordPiece::Create(Text(vocab)));
  vocabulary->fingerprint_ = FingerprintOf(weights, vocab);
  return vocabulary;
}

EmbedderHandle EmbedderVocabulary::Handle() const {
  EmbedderHandle handle;
  handle.fingerprint = fingerprint_;
  handle.count_pieces = CounterOf(*word_piece_);
  return handle;
}

Result<std::unique_ptr<EmbedderFolder>> EmbedderFolder::Open(const std::string& path,
                                                             const KernelTable& table,
                                                             ThreadPool& pool) {
  const std::string weights = path + "/model.safetensors";
  ASSIGN_OR_RETURN(const MappedFile weights_file, MappedFile::Open(weights));
  ASSIGN_OR_RETURN(const MappedFile vocab, MappedFile::Open(path + "/vocab.txt"));
  ASSIGN_OR_RETURN(const MappedFile config_file, MappedFile::Open(path + "/config.json"));
  ASSIGN_OR_RETURN(const EmbedderConfig config, ReadEmbedderConfig(std::string(Text(config_file))));
  ASSIGN_OR_RETURN(const SafetensorsFile tensors, SafetensorsFile::Open(weights));

  std::unique_ptr<EmbedderFolder> folder(new EmbedderFolder);
  ASSIGN_OR_RETURN(folder->word_piece_, WordPiece::Create(Text(vocab)));
  if (folder->word_piece_->n_vocab() > config.n_vocab) {
    return Fail(ErrorKind::kInvalid, vocab.path(),
                "has " + std::to_string(folder->word_piece_->n_vocab()) + " pieces, the model " +
                    std::to_string(config.n_vocab),
                "use the vocab.txt that belongs to the model");
  }
  ASSIGN_OR_RETURN(folder->exec_, CpuExec::Create(table, pool, EmbedderLimits(config)));
  ASSIGN_OR_RETURN(folder->embedder_, OpenEmbedder(tensors, config, *folder->exec_));
  folder->fingerprint_ = FingerprintOf(weights_file, vocab);
  return folder;
}

EmbedderHandle EmbedderFolder::Handle() {
  EmbedderHandle handle;
  handle.width = embedder_->config().width;
  handle.fingerprint = fingerprint_;
  handle.count_pieces = CounterOf(*word_piece_);
  handle.embed = [this](std::span<const std::string_view> texts, std::span<float> out) {
    return Embed(texts, out);
  };
  handle.scan = [this](std::span<const float> vectors, std::span<const float> query,
                       std::span<float> scores) { Scan(vectors, query, scores); };
  handle.scan_codes = [this](const CodeRows& codes, std::span<const int16_t> queries,
                             std::span<int32_t> dots) {
    exec_->table().scan_codes(exec_->exec(), codes,
                              {queries.data(), static_cast<int64_t>(queries.size())}, dots.data());
    exec_->table().sync(exec_->exec());
  };
  return handle;
}

Result<void> EmbedderFolder::Embed(std::span<const std::string_view> texts, std::span<float> out) {
  const auto max_len = static_cast<size_t>(embedder_->config().max_len);
  std::vector<std::vector<TokenId>> ids;
  for (const std::string_view text : texts) {
    ids.push_back(word_piece_->EncodeForModel(text, max_len));
  }
  return embedder_->Embed(std::vector<std::span<const TokenId>>(ids.begin(), ids.end()), out);
}

void EmbedderFolder::Scan(std::span<const float> vectors, std::span<const float> query,
                          std::span<float> scores) {
  const auto width = static_cast<int32_t>(query.size());
  const auto n = static_cast<int32_t>(scores.size());
  const Mat out{.data = {reinterpret_cast<unsigned char*>(scores.data())},
                .rows = 1,
                .cols = n,
                .stride = n,
                .dtype = DType::kF32};
  exec_->table().scan(exec_->exec(), ReadOnly(vectors, n, width), ReadOnly(query, 1, width), out);
  exec_->table().sync(exec_->exec());
}

}  // namespace anabranch
