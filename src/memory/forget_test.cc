#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "memory/drain_store.h"
#include "memory/memory_test_support.h"
#include "memory/sqlite_db.h"
#include "memory/term_counts.h"
#include "memory/unit_store.h"
#include "memory/vector_code.h"

namespace anabranch {
namespace {

constexpr const char* kSecret =
    "The secret password of the blue submarine is marzipan, as everybody on board knows.";
constexpr const char* kOther = "The old stone bridge in the village was built by two brothers.";
constexpr StreamSpan kAll = {StreamPos(0), StreamPos(int64_t{1} << 40)};

struct Store {
  explicit Store(const std::string& path)
      : path_(path),
        memory(OpenMemory(path, FakeEmbedder()).value()),
        stream(memory->OpenStream("s", "t").value()),
        writer(stream.get()) {
    writer.Say(Role::kUser, std::string(kOther) + " " + kSecret + " " + kOther);
    writer.Say(Role::kAssistant, "Well noted, my friend.");
    writer.Say(Role::kUser, std::string("I say it again, and louder. ") + kSecret);
  }
  // All bytes of all files in the store's folder.
  std::string Bytes() const {
    std::string bytes;
    const auto folder = std::filesystem::path(path_).parent_path();
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::ostringstream out;
      out << file.rdbuf();
      bytes += out.str();
    }
    return bytes;
  }
  std::string path_;
  std::unique_ptr<Memory> memory;
  std::unique_ptr<StreamMemory> stream;
  Writer writer;
};

TEST(Forget, MatchingTextLeavesEveryByteOfTheFile) {
  TempDir dir;
  Store store(dir.File("m"));
  const StreamPos end = store.stream->journal_end();
  ASSERT_NE(store.Bytes().find("marzipan"), std::string::npos);
  const ForgetResult result = store.memory->Forget("s", {.matching = "Marzipan"}, false).value();
  EXPECT_TRUE(result.done);
  EXPECT_EQ(result.grade, ForgetGrade::kErased);
  EXPECT_EQ(result.erased_when, "");
  EXPECT_EQ(result.turns, (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(result.spans.size(), 2u);  // one is indexed, the other pending
  EXPECT_GE(result.text_bytes, 2 * static_cast<int64_t>(std::string(kSecret).size()));
  EXPECT_EQ(store.Bytes().find("marzipan"), std::string::npos);
  EXPECT_EQ(store.stream->journal_end(), end);
  EXPECT_EQ(store.stream->next_turn(), 3);
  const auto turns = store.memory->Show("s", kAll).value();
  ASSERT_FALSE(turns.empty());
  EXPECT_NE(turns[0].text.find("bridge"), std::string::npos);
  const VerifyReport report = store.memory->Verify().value();
  EXPECT_TRUE(report.ok) << report.faults[0];
  RecallQuery query;
  query.mode = RecallMode::kAlways;
  query.turn_text = "What is the secret password of the blue submarine?";
  const RecallResult recalled = store.stream->Recall(query).value();
  for (const Passage& passage : recalled.passages) {
    EXPECT_EQ(passage.text.find("marzipan"), std::string::npos);
  }
  store.writer.Say(Role::kAssistant, "The stream goes on as if nothing had been.");
  EXPECT_TRUE(store.memory->Verify().value().ok);
}

TEST(Forget, ADryRunSaysTheSameAndChangesNothing) {
  TempDir dir;
  Store store(dir.File("m"));
  const ForgetSelection what = {.matching = "marzipan"};
  const ForgetResult dry = store.memory->Forget("s", what, true).value();
  EXPECT_FALSE(dry.done);
  EXPECT_NE(store.Bytes().find("marzipan"), std::string::npos);
  const ForgetResult real = store.memory->Forget("s", what, false).value();
  EXPECT_EQ(dry.spans, real.spans);
  EXPECT_EQ(dry.units, real.units);
  EXPECT_EQ(dry.text_bytes, real.text_bytes);
  EXPECT_EQ(store.memory->Forget("s", what, true).value().text_bytes, 0);
}

TEST(Forget, AllLeavesOneGapAndTheStreamGoesOn) {
  TempDir dir;
  Store store(dir.File("m"));
  const StreamPos end = store.stream->journal_end();
  store.memory->Forget("s", {.all = true}, false).value();
  EXPECT_EQ(store.Bytes().find("bridge"), std::string::npos);
  EXPECT_TRUE(store.memory->Show("s", kAll).value().empty());
  EXPECT_EQ(store.stream->journal_end(), end);
  EXPECT_EQ(store.stream->indexed_end(), end);
  EXPECT_EQ(store.stream->next_turn(), 3);
  store.writer.Say(Role::kUser, kOther);
  EXPECT_EQ(store.memory->Show("s", kAll).value().size(), 1u);
  const auto infos = store.memory->List().value();
  EXPECT_EQ(infos[0].turns, 1);
  EXPECT_TRUE(store.memory->Verify().value().ok);
}

TEST(Forget, BeforeATimeForgetsWhatWasSaidEarlier) {
  TempDir dir;
  Store store(dir.File("m"));
  store.memory->Forget("", {.before_ms = 1000}, false).value();  // the first turn is of time 0
  const auto turns = store.memory->Show("", kAll).value();
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].turn, 1);
}

TEST(Forget, WhatIsNotSaidOnceIsRefused) {
  TempDir dir;
  Store store(dir.File("m"));
  EXPECT_EQ(store.memory->Forget("s", {}, false).error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(store.memory->Forget("s", {.before_ms = 1, .all = true}, false));
  EXPECT_FALSE(store.memory->Forget("s", {.matching = ""}, false));
  const auto other = OpenMemory(dir.File("m"), FakeEmbedder()).value();
  EXPECT_EQ(other->Forget("s", {.all = true}, false).error().kind, ErrorKind::kBusy);
  EXPECT_TRUE(other->Forget("s", {.all = true}, true));
}

// A connection that reads what the file was when this was made.
std::unique_ptr<Database> ReaderOf(const std::string& path) {
  auto reader = Database::Open(path, "reader").value();
  EXPECT_TRUE(reader->Exec("BEGIN"));
  EXPECT_GT(reader->QueryInt("SELECT count(*) FROM unit").value(), 0);
  return reader;
}

TEST(Forget, WhatAReaderKeepsIsUnreachableAndErasedWhenTheFileIsOpenedNext) {
  TempDir dir;
  Store store(dir.File("m"));
  auto reader = ReaderOf(dir.File("m"));
  const ForgetSelection what = {.matching = "marzipan", .timeout_ms = 1};
  const ForgetResult kept = store.memory->Forget("s", what, false).value();
  EXPECT_TRUE(kept.done);
  EXPECT_EQ(kept.grade, ForgetGrade::kUnreachable);
  EXPECT_NE(kept.erased_when.find("readers"), std::string::npos);
  EXPECT_NE(store.Bytes().find("marzipan"), std::string::npos);

  // Its vectors are gone from RAM as well: they would be found, without a text.
  const auto found = store.memory->Search("s", "the password of the blue submarine", 10).value();
  EXPECT_FALSE(found.empty());
  for (const Passage& passage : found) EXPECT_FALSE(passage.text.empty());

  // To open the file while the reader is there is no error, and does not wait.
  EXPECT_TRUE(OpenMemory(dir.File("m"), FakeEmbedder()));
  EXPECT_NE(store.Bytes().find("marzipan"), std::string::npos);
  reader.reset();
  EXPECT_TRUE(OpenMemory(dir.File("m"), FakeEmbedder()));
  EXPECT_EQ(store.Bytes().find("marzipan"), std::string::npos);
}

TEST(Forget, ForgettingTheSameAgainErasesWhatAReaderKept) {
  TempDir dir;
  Store store(dir.File("m"));
  auto reader = ReaderOf(dir.File("m"));
  const ForgetSelection what = {.matching = "marzipan", .timeout_ms = 1};
  EXPECT_EQ(store.memory->Forget("s", what, false)->grade, ForgetGrade::kUnreachable);
  reader.reset();
  const ForgetResult again = store.memory->Forget("s", what, false).value();
  EXPECT_EQ(again.grade, ForgetGrade::kErased);
  EXPECT_EQ(again.text_bytes, 0);
  EXPECT_EQ(store.Bytes().find("marzipan"), std::string::npos);
}

TEST(Forget, AReaderThatEndsInTimeIsWaitedFor) {
  TempDir dir;
  Store store(dir.File("m"));
  auto reader = ReaderOf(dir.File("m"));
  std::thread ends([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    reader.reset();
  });
  const ForgetSelection what = {.matching = "marzipan", .timeout_ms = 60000};
  const ForgetResult forgotten = store.memory->Forget("s", what, false).value();
  ends.join();
  EXPECT_EQ(forgotten.grade, ForgetGrade::kErased);
  EXPECT_EQ(store.Bytes().find("marzipan"), std::string::npos);
}

std::string RareWords(int i) { return fmt::format("zyx{0}qua vrl{0}wpf bdm{0}xoz", 7919 * i); }
std::string SecretTurn(int i) {
  return fmt::format("The word of day {} that nobody should know is {}, they say.", i,
                     RareWords(i));
}

// Hundreds of units, so that tables and indexes have inner pages, with counted words, a text of
// many pages, and a server's refusal that says a text again.
TEST(Forget, NoFileKeepsATextItsWordsItsVectorOrItsCode) {
  TempDir dir;
  auto store = std::make_unique<Store>(dir.File("m"));
  constexpr int kTurns = 240;
  std::string book;
  for (int i = 0; i < 400; ++i) book += SecretTurn(1000 + i) + " ";
  StreamSpan of_book;
  for (int i = 0; i < kTurns; ++i) {
    const Role role = i % 2 == 0 ? Role::kUser : Role::kAssistant;
    const StreamSpan span = store->writer.Say(role, i == kTurns / 2 ? book : SecretTurn(i));
    if (i == kTurns / 2) of_book = span;
  }
  {
    const auto db = Database::Open(dir.File("m"), "counter").value();
    TermCounts counts(db.get(), 1);
    ASSERT_TRUE(counts.Load());
    Transaction transaction = Transaction::Begin(db.get()).value();
    ASSERT_TRUE(counts.Write());
    const auto keys = UnitStore(db.get(), 1, "s").Holding("zyx23757qua").value();
    ASSERT_EQ(keys.size(), 1u);
    ASSERT_TRUE(DrainStore(db.get(), 1).Quarantine(keys[0], "422: not " + SecretTurn(3)));
    ASSERT_TRUE(transaction.Commit());
    ASSERT_GT(db->QueryInt("SELECT count(*) FROM term_df").value(), 1500);
  }
  store->stream.reset();
  store->stream = store->memory->OpenStream("s", "t").value();

  std::vector<int> order(kTurns / 3);
  for (size_t i = 0; i < order.size(); ++i) order[i] = 3 * static_cast<int>(i);
  std::shuffle(order.begin(), order.end(), std::mt19937(5));
  std::vector<std::string> gone;
  const auto expect_gone = [&](const std::string& text) {
    const std::string_view view = text;
    std::vector<float> vector(64);
    ASSERT_TRUE(FakeEmbedder().embed({&view, 1}, vector));
    const std::vector<std::byte> code = EncodeVector(vector);
    gone.emplace_back(reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float));
    gone.emplace_back(reinterpret_cast<const char*>(code.data()), vector.size());
    gone.push_back(text.substr(12, 20));
  };
  for (const int i : order) {
    if (i == kTurns / 2) continue;  // the book
    expect_gone(SecretTurn(i));
    for (const std::string& word : LexicalWords(RareWords(i))) gone.push_back(word);
    ASSERT_NE(store->Bytes().find(gone.back()), std::string::npos) << i;
    const ForgetResult result =
        store->memory->Forget("s", {.matching = RareWords(i)}, false).value();
    ASSERT_EQ(result.grade, ForgetGrade::kErased);
    ASSERT_EQ(result.units, 1) << i;
  }
  for (int i = 0; i < 400; i += 7) gone.push_back(fmt::format("zyx{}qua", 7919 * (1000 + i)));
  ASSERT_NE(store->Bytes().find(gone.back()), std::string::npos);
  ASSERT_TRUE(store->memory->Forget("s", {.span = of_book}, false));
  const std::string bytes = store->Bytes();
  for (const std::string& part : gone) EXPECT_EQ(bytes.find(part), std::string::npos) << part;
  EXPECT_NE(bytes.find(RareWords(11)), std::string::npos);
  const VerifyReport report = store->memory->Verify().value();
  EXPECT_TRUE(report.ok) << report.faults[0];
}

RC_GTEST_PROP(ForgetProperty, AnySpanLeavesASoundStoreWithoutItsText, ()) {
  TempDir dir;
  Store store(dir.File("m"));
  const int64_t end = store.stream->journal_end().value();
  for (int i = 0; i < 3; ++i) {
    const auto begin = *rc::gen::inRange<int64_t>(0, end);
    const StreamSpan span = {StreamPos(begin),
                             StreamPos(*rc::gen::inRange<int64_t>(begin, end) + 1)};
    RC_ASSERT(store.memory->Forget("s", {.span = span}, false).has_value());
    RC_ASSERT(store.memory->Show("s", span).value().empty());
    RC_ASSERT(store.memory->Verify().value().ok);
    RC_ASSERT(store.stream->journal_end().value() == end);
  }
  store.writer.Say(Role::kAssistant, kOther);
  store.writer.Say(Role::kUser, kOther);
  RC_ASSERT(store.memory->Verify().value().ok);
}

}  // namespace
}  // namespace anabranch
