// A stream's memory whose recall is widened, on purpose, to other streams of the same store.
//
// Each stream recalls for itself, with its own scores and its own decision; what they found is
// compared by how far it lies above what unrelated questions score on its stream. So no score of
// one stream depends on another one.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "memory/memory.h"

namespace anabranch {

// What several streams recalled, the own one first: the best passages that fit into recall_tokens
// together (each stream's tokens are its own tokenizer's). Those of the others come first, in the
// order of the streams. Decision, scores and what was rejected are the best stream's.
RecallResult MergeRecalls(std::vector<RecallResult> results, int32_t recall_tokens);

class WideMemory final : public StreamMemory {
 public:
  using Readers = std::vector<std::shared_ptr<StreamReader>>;
  WideMemory(std::unique_ptr<StreamMemory> own, Readers others)
      : own_(std::move(own)), others_(std::move(others)) {}

  Result<void> Append(JournalRecord record) override { return own_->Append(std::move(record)); }
  Result<void> Sync() override { return own_->Sync(); }
  Result<void> Index(bool end_of_turn) override { return own_->Index(end_of_turn); }
  // Nothing of another stream is in the context, so all of it may be recalled. One that fails is
  // left out, and named in the fault.
  Result<RecallResult> Recall(const RecallQuery& query) override;
  StreamPos journal_end() const override { return own_->journal_end(); }
  StreamPos indexed_end() const override { return own_->indexed_end(); }
  int64_t next_turn() const override { return own_->next_turn(); }
  const std::string& notice() const override { return own_->notice(); }
  Result<void> Read(StreamSpan span,
                    const std::function<Result<void>(const StoredRecord&)>& visit) const override {
    return own_->Read(span, visit);
  }
  Result<std::string> LastCursor() const override { return own_->LastCursor(); }
  Result<std::unique_ptr<StreamMemory>> Fork() override;

 private:
  std::unique_ptr<StreamMemory> own_;
  Readers others_;
};

}  // namespace anabranch
