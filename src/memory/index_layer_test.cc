#include "memory/index_layer.h"

#include <gtest/gtest.h>

#include "memory/schema.h"

namespace anabranch {
namespace {

StoredRecord RecordAt(int64_t text_begin, const std::string& bytes) {
  StoredRecord stored;
  stored.record.begin = StreamPos(text_begin);
  stored.record.bytes = bytes;
  for (uint32_t i = 1; i <= bytes.size(); ++i) {
    stored.record.ids.push_back(TokenId(1));
    stored.record.token_ends.push_back(i);
  }
  stored.end = stored.record.end();
  stored.text_begin = text_begin;
  return stored;
}

UnitRow UnitAt(int64_t begin, int64_t end) {
  UnitRow unit;
  unit.text_begin = begin;
  unit.text_end = end;
  unit.span = {StreamPos(begin), StreamPos(end)};
  return unit;
}

TEST(UnitView, TextThatTheJournalDoesNotHaveIsAnError) {
  const auto db = OpenStore(":memory:", "the file").value();
  ASSERT_TRUE(db->Exec("INSERT INTO stream(id, name, tokenizer) VALUES(1, 's', 't')"));
  IndexLayer layer(db.get(), 1, "s", 4);
  ASSERT_TRUE(layer.journal.InsertStored(RecordAt(100, "A stone bridge.")));
  const TailUnits tail(4);
  const UnitView view({&layer}, &tail);

  EXPECT_EQ(view.TextBefore(UnitAt(100, 115), StreamPos(107)).value(), "A stone");
  for (const UnitRow& lost : {UnitAt(0, 20), UnitAt(90, 110), UnitAt(200, 220)}) {
    const auto text = view.TextBefore(lost, lost.span.end);
    ASSERT_FALSE(text) << lost.text_begin;
    EXPECT_EQ(text.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(text.error().what, "the file");
  }
}

}  // namespace
}  // namespace anabranch
