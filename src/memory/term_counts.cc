#include "memory/term_counts.h"

#include <map>

#include "memory/journal_store.h"
#include "text/words.h"

namespace anabranch {
namespace {

constexpr int64_t kMany = 4096;  // units; counted again in some 0.1 s

}  // namespace

Result<void> TermCounts::Load() {
  pending_.clear();
  n_pending_ = 0;
  const JournalStore journal(db_, stream_);
  ASSIGN_OR_RETURN(
      Statement units,
      db_->Prepare("SELECT text_begin, text_end FROM unit WHERE stream = ?1 AND text_begin >= "
                   "(SELECT counted_text FROM stream WHERE id = ?1)"));
  units.Bind(1, stream_);
  while (true) {
    ASSIGN_OR_RETURN(const bool row, units.Step());
    if (!row) return {};
    ASSIGN_OR_RETURN(const std::string text, journal.Text(units.Int(0), units.Int(1)));
    Add(text);
  }
}

void TermCounts::Add(std::string_view text) {
  for (const std::string& word : LexicalWords(text)) ++pending_[word];
  ++n_pending_;
}

Result<int64_t> TermCounts::Frequency(const std::string& word) const {
  ASSIGN_OR_RETURN(Statement select,
                   db_->Prepare("SELECT df FROM term_df WHERE stream = ?1 AND term = ?2"));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream_).BindText(2, word).Step());
  const auto pending = pending_.find(word);
  return (row ? select.Int(0) : 0) + (pending == pending_.end() ? 0 : pending->second);
}

Result<int64_t> TermCounts::CountedText() const {
  ASSIGN_OR_RETURN(Statement select, db_->Prepare("SELECT counted_text FROM stream WHERE id = ?1"));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream_).Step());
  return row ? select.Int(0) : 0;
}

Result<void> TermCounts::WriteIfMany() {
  if (n_pending_ < kMany) return {};
  {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(db_));
    RETURN_IF_ERROR(Write());
    RETURN_IF_ERROR(transaction.Commit());
  }
  pending_.clear();
  n_pending_ = 0;
  return {};
}

Result<void> TermCounts::Write() {
  ASSIGN_OR_RETURN(Statement add,
                   db_->Prepare("INSERT INTO term_df(stream, term, df) VALUES(?1, ?2, ?3) "
                                "ON CONFLICT DO UPDATE SET df = df + ?3"));
  const std::map<std::string_view, int64_t> in_order(pending_.begin(), pending_.end());
  for (const auto& [word, n] : in_order) {
    RETURN_IF_ERROR(add.Bind(1, stream_).BindText(2, word).Bind(3, n).Run());
  }
  ASSIGN_OR_RETURN(Statement counted,
                   db_->Prepare("UPDATE stream SET counted_text = coalesce((SELECT max(text_end) "
                                "FROM unit WHERE stream = ?1), 0) WHERE id = ?1"));
  return counted.Bind(1, stream_).Run();
}

}  // namespace anabranch
