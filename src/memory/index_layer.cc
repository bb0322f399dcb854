#include "memory/index_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "memory/document_cursor.h"
#include "text/utf8.h"
#include "text/words.h"

namespace anabranch {

UnitView::UnitView(std::vector<const IndexLayer*> layers, const TailUnits* tail)
    : layers_(std::move(layers)), tail_(tail) {
  for (const IndexLayer* layer : layers_) tables_.push_back(&layer->table);
  tables_.push_back(&tail->table);
  first_.push_back(0);
  for (const UnitTable* table : tables_) first_.push_back(first_.back() + table->size());
}

size_t UnitView::LayerOf(int64_t i) const {
  return static_cast<size_t>(std::upper_bound(first_.begin(), first_.end(), i) - first_.begin()) -
         1;
}

const UnitRow& UnitView::row(int64_t i) const {
  const size_t t = LayerOf(i);
  return tables_[t]->row(i - first_[t]);
}

Result<int64_t> UnitView::Frequency(const std::string& word) const {
  int64_t n = 0;
  for (const IndexLayer* layer : layers_) {
    ASSIGN_OR_RETURN(const int64_t of_layer, layer->terms.Frequency(word));
    n += of_layer;
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> of_tail, TailHolding(word));
  return n + static_cast<int64_t>(of_tail.size());
}

Result<std::vector<int64_t>> UnitView::Holding(const std::string& word) const {
  std::vector<int64_t> units;
  for (size_t t = 0; t < layers_.size(); ++t) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> keys, layers_[t]->units.Holding(word));
    for (const int64_t key : keys) {
      const int64_t row = tables_[t]->Find(key);
      if (row >= 0) units.push_back(first_[t] + row);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> of_tail, TailHolding(word));
  units.insert(units.end(), of_tail.begin(), of_tail.end());
  return units;
}

Result<std::vector<int64_t>> UnitView::TailHolding(const std::string& word) const {
  std::vector<int64_t> units;
  const UnitTable& tail = tail_->table;
  for (int64_t i = 0; i < tail.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string text, Text(tail.row(i).text_begin, tail.row(i).text_end));
    const std::vector<std::string> words = LexicalWords(text);
    if (std::binary_search(words.begin(), words.end(), word)) units.push_back(first_.end()[-2] + i);
  }
  return units;
}

Result<std::string> UnitView::Text(int64_t begin, int64_t end) const {
  std::string text;
  for (size_t t = 0; t < layers_.size(); ++t) {
    const int64_t layer_end =
        t + 1 < layers_.size() ? layers_[t + 1]->text_begin : std::numeric_limits<int64_t>::max();
    const int64_t from = std::max(begin, layers_[t]->text_begin), to = std::min(end, layer_end);
    if (from >= to) continue;
    ASSIGN_OR_RETURN(const std::string part, layers_[t]->journal.Text(from, to));
    text += part;
  }
  return text;
}

const JournalStore& UnitView::JournalOf(const UnitRow& unit) const {
  const auto layer = std::find_if(layers_.rbegin(), layers_.rend(), [&](const IndexLayer* l) {
    return l->text_begin <= unit.text_begin;
  });
  return layer == layers_.rend() ? layers_[0]->journal : (*layer)->journal;
}

Result<std::string> UnitView::Source(const UnitRow& unit) const {
  std::string cursor;
  RETURN_IF_ERROR(JournalOf(unit).ForEach({unit.span.begin, unit.span.begin + 1},
                                          [&](const StoredRecord& stored) -> Result<void> {
                                            cursor = stored.record.source_cursor;
                                            return {};
                                          }));
  return ReadTitle(cursor, [this](int64_t begin, int64_t end) { return Text(begin, end); });
}

Result<std::string> UnitView::TextBefore(const UnitRow& unit, StreamPos end) const {
  const JournalStore& journal = JournalOf(unit);
  ASSIGN_OR_RETURN(const std::optional<RunText> run,
                   journal.NextRun(unit.text_begin, unit.text_end - unit.text_begin));
  if (!run || run->text_begin != unit.text_begin) {
    return Fail(ErrorKind::kCorrupt, journal.db()->name(),
                fmt::format("the journal does not have the text of the unit at text [{}, {})",
                            unit.text_begin, unit.text_end),
                "restore the memory file from a copy");
  }
  size_t size = std::min(static_cast<size_t>(unit.text_end - unit.text_begin), run->text.size());
  while (size > 0 && run->TokenAt(run->text_begin + static_cast<int64_t>(size) - 1) >= end) --size;
  while (size > 0 && size < run->text.size() && ContinuesCharacter(run->text[size])) --size;
  return run->text.substr(0, size);
}

}  // namespace anabranch
