#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "memory/export_format.h"
#include "memory/memory_test_support.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<Memory> Open(const std::string& path) {
  return OpenMemory(path, FakeEmbedder()).value();
}

std::vector<std::string> Exported(Memory& memory, const std::string& stream = "") {
  std::vector<std::string> lines;
  EXPECT_TRUE(memory.Export(stream, [&](std::string_view line) -> Result<void> {
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    lines.emplace_back(line.substr(0, line.size() - 1));
    return {};
  }));
  return lines;
}

Result<StreamsReport> Import(Memory& memory, const std::vector<std::string>& lines,
                             const std::string& stream = "", TurnCoder* coder = nullptr) {
  size_t at = 0;
  const LineSource next = [&]() -> Result<std::optional<std::string>> {
    return at < lines.size() ? std::optional(lines[at++]) : std::nullopt;
  };
  return memory.Import(next, {.stream = stream, .coder = coder});
}

// Words, bytes that are no UTF-8, U+0000, characters that tokens cut (tokens have five bytes).
std::string ArbitraryText() {
  const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "The fox ran. ", "Why? ", std::string("\0", 1), "\xff\xfe", "日本語の文章。", "\xe6\x97",
      "\n\n", "🙂🙂🙂 ", "\"quoted\\\" "));
  std::string text;
  for (const std::string& part : parts) text += part;
  return text;
}

// A record of the next turn, with a place in a source.
void Add(StreamMemory* stream, RecordKind kind) {
  JournalRecord record;
  record.turn = stream->next_turn();
  record.role = Role::kUser;
  record.kind = kind;
  record.begin = stream->journal_end();
  record.ids.assign(static_cast<size_t>(*rc::gen::inRange(1, 9)),
                    TokenId(kind == RecordKind::kLost ? 0 : 5));
  record.time_ms = *rc::gen::arbitrary<int64_t>();
  record.source_cursor = *rc::gen::element<std::string>("", "xxh3:1 turn 2 byte 3", "\xff\"");
  RC_ASSERT(stream->Append(std::move(record)).has_value() && stream->Sync().has_value());
}

// Two streams, with texts, roles and records of all kinds, and forgotten spans.
void Fill(Memory& memory) {
  for (const char* name : {"one", "two"}) {
    const auto stream = memory.OpenStream(name, std::string("tokenizer of ") + name).value();
    const int turns = *rc::gen::inRange(0, 6);
    for (int i = 0; i < turns; ++i) {
      const Role role = *rc::gen::element(Role::kUser, Role::kAssistant, Role::kSystem);
      Writer(stream.get())
          .Say(role, ArbitraryText(), static_cast<size_t>(*rc::gen::inRange(1, 30)));
      Add(stream.get(), *rc::gen::element(RecordKind::kLost, RecordKind::kGap,
                                          RecordKind::kInterrupted, RecordKind::kTemplate));
    }
  }
  while (*rc::gen::arbitrary<bool>()) {
    const auto begin = StreamPos(*rc::gen::inRange(0, 40));
    const StreamSpan span = {begin, begin + *rc::gen::inRange(1, 20)};
    RC_ASSERT(memory.Forget("one", {.span = span}, false).has_value());
  }
}

RC_GTEST_PROP(ExportProperty, ExportImportExportIsTheSameToTheByte, ()) {
  TempDir dir;
  const auto memory = Open(dir.File("a"));
  Fill(*memory);
  const std::vector<std::string> lines = Exported(*memory);
  const auto copy = Open(dir.File("b"));
  RC_ASSERT(Import(*copy, lines)->streams.size() == 2u);
  RC_ASSERT(Exported(*copy) == lines);
  const VerifyReport report = copy->Verify().value();
  RC_ASSERT(report.ok);
  // It goes on.
  const auto stream = copy->OpenStream("one", "tokenizer of one").value();
  Writer(stream.get()).Say(Role::kUser, "And on it goes, as before.");
  RC_ASSERT(copy->Verify().value().ok);
}

std::vector<std::string> SomeLines() {
  TempDir dir;
  const auto memory = Open(dir.File("m"));
  const auto stream = memory->OpenStream("s", "t").value();
  Writer writer(stream.get());
  writer.Say(Role::kUser, "The old stone bridge was built by two brothers.", 4);
  writer.Say(Role::kAssistant, "So it is said.\xff");
  return Exported(*memory);
}

TEST(Import, EveryTruncationIsRefusedAndLeavesNothing) {
  const std::vector<std::string> lines = SomeLines();
  TempDir dir;
  const auto memory = Open(dir.File("m"));
  for (size_t n = 0; n < lines.size(); ++n) {
    std::vector<std::string> part(lines.begin(), lines.begin() + static_cast<ptrdiff_t>(n));
    // The header alone is an export of no stream.
    EXPECT_EQ(Import(*memory, part).has_value(), n == 1) << n;
    for (size_t cut = 0; cut < lines[n].size(); cut += 7) {
      part.push_back(lines[n].substr(0, cut));
      EXPECT_EQ(Import(*memory, part).error().kind, ErrorKind::kCorrupt) << n << ", " << cut;
      part.pop_back();
    }
    EXPECT_TRUE(memory->List().value().empty());
  }
  EXPECT_TRUE(Import(*memory, lines));
}

TEST(Import, LinesThatAreMissingDoubledOrOutOfOrderAreRefused) {
  const std::vector<std::string> lines = SomeLines();
  TempDir dir;
  const auto memory = Open(dir.File("m"));
  for (size_t i = 0; i < lines.size(); ++i) {
    std::vector<std::string> without = lines, twice = lines, swapped = lines;
    without.erase(without.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_FALSE(Import(*memory, without)) << i;
    EXPECT_TRUE(memory->List().value().empty()) << i;
    if (i + 1 == lines.size()) break;  // a second end comes after a stream that is whole
    twice.insert(twice.begin() + static_cast<ptrdiff_t>(i), lines[i]);
    EXPECT_FALSE(Import(*memory, twice)) << i;
    std::swap(swapped[i], swapped[i + 1]);
    EXPECT_FALSE(Import(*memory, swapped)) << i;
    EXPECT_TRUE(memory->List().value().empty()) << i;
  }
}

TEST(Import, WrongValuesNameTheLine) {
  const std::string header = R"({"type":"anabranch-export","version":1})";
  const std::string stream = R"({"type":"stream","stream":"s","tokenizer":"t"})";
  const auto record = [](const std::string& from, const std::string& to) {
    std::string line =
        R"({"type":"record","begin":0,"end":1,"turn":0,"role":"user","kind":"text","time_ms":0,)"
        R"("text_begin":0,"ids":[7],"token_ends":[2],"text":"hi"})";
    const size_t at = line.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return line.replace(at, from.size(), to);
  };
  TempDir dir;
  const auto memory = Open(dir.File("m"));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"begin\":0", "\"begin\":-1"},
           {"\"begin\":0", "\"begin\":4611686018427387904"},
           {"\"end\":1", "\"end\":18446744073709551615"},
           {"\"end\":1", "\"end\":1e3"},
           {"\"end\":1", "\"end\":2"},
           {"\"end\":1", "\"end\":0"},
           {"\"begin\":0,\"end\":1", "\"begin\":1,\"end\":2"},
           {"\"turn\":0", "\"turn\":4611686018427387000"},
           {"\"text_begin\":0", "\"text_begin\":4611686018427387000"},
           {"\"kind\":\"text\",", ""},
           {"record", "unit"},
           {"\"turn\":0", "\"turn\":\"0\""},
           {"user", "tool"},
           {"\"kind\":\"text\"", "\"kind\":\"poem\""},
           {"\"kind\":\"text\"", "\"kind\":\"template\""},
           {"\"kind\":\"text\"", "\"kind\":\"lost\""},
           {"\"time_ms\":0,", ""},
           {"[7]", "[2147483648]"},
           {"[7]", "[-1]"},
           {"[7]", "[7,8]"},
           {"[7]", "{}"},
           {"[2]", "[3]"},
           {"[2]", "[4294967296]"},
           {"\"text\":\"hi\"", "\"text\":5"},
           {"\"text\":\"hi\"", "\"text_b64\":\"a\""},
           {"\"text\":\"hi\"", "\"text\":\"\xff\xff\""},
           {"\"hi\"", "\"hi\",\"surprise\":1"},
           {"\"hi\"", std::string(100000, '[')}}) {
    const auto refused = Import(*memory, {header, stream, record(from, to)});
    ASSERT_FALSE(refused) << to.substr(0, 50);
    EXPECT_EQ(refused.error().kind, ErrorKind::kCorrupt) << to.substr(0, 50);
    EXPECT_EQ(refused.error().what, "import, line 3") << refused.error().Message();
    EXPECT_TRUE(memory->List().value().empty());
  }
  const std::string newer = R"({"type":"anabranch-export","version":2,"more":[]})";
  EXPECT_EQ(Import(*memory, {newer}).error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(Import(*memory, {"[]"}).error().kind, ErrorKind::kCorrupt);
  const std::string end = R"({"type":"end","records":1})";
  EXPECT_TRUE(Import(*memory, {header, stream, record("7", "7"), end}));
}

TEST(Import, AStreamThatIsThereStaysAsItIs) {
  const std::vector<std::string> lines = SomeLines();
  TempDir dir;
  const auto memory = Open(dir.File("m"));
  ASSERT_TRUE(Import(*memory, lines));
  const auto again = Import(*memory, lines);
  EXPECT_EQ(again.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(again.error().Message().find("--stream"), std::string::npos);
  EXPECT_EQ(Exported(*memory), lines);
  ASSERT_TRUE(Import(*memory, lines, "copy"));
  std::vector<std::string> copied = Exported(*memory, "copy");
  EXPECT_EQ(copied[1], R"({"type":"stream","stream":"copy","tokenizer":"t"})");
  copied[1] = lines[1];
  EXPECT_EQ(copied, lines);
}

// Tokens of one byte, a template token before and behind.
class ByteCoder final : public TurnCoder {
 public:
  const std::string& fingerprint() const override { return fingerprint_; }
  std::vector<JournalRecord> Encode(Role role, std::string_view text) override {
    JournalRecord header, body, footer;
    header.role = body.role = footer.role = role;
    header.kind = footer.kind = RecordKind::kTemplate;
    header.ids = footer.ids = {TokenId(1)};
    body.begin = StreamPos(1);
    body.bytes = text;
    for (uint32_t i = 0; i < text.size(); ++i) {
      body.ids.emplace_back(static_cast<unsigned char>(text[i]));
      body.token_ends.push_back(i + 1);
    }
    footer.begin = body.end();
    return {header, body, footer};
  }

 private:
  const std::string fingerprint_ = "bytes";
};

TEST(Import, WaitingForItsInputKeepsNobodyOut) {
  TempDir dir;
  const std::vector<std::string> lines = SomeLines();
  const auto memory = Open(dir.File("m")), other = Open(dir.File("m"));
  const auto stream = other->OpenStream("other", "t").value();
  Writer writer(stream.get());
  size_t at = 0;
  const LineSource next = [&]() -> Result<std::optional<std::string>> {
    writer.Say(Role::kUser, "What is said meanwhile is written.");
    return at < lines.size() ? std::optional(lines[at++]) : std::nullopt;
  };
  ASSERT_TRUE(memory->Import(next, {}));
  EXPECT_EQ(Exported(*memory, "s"), lines);
  EXPECT_TRUE(memory->Verify().value().ok);
}

TEST(Import, RetokenizedTurnsSayTheSameAtNewPositions) {
  const std::vector<std::string> lines = SomeLines();
  TempDir dir;
  const auto memory = Open(dir.File("m"));
  ByteCoder coder;
  const auto imported = Import(*memory, lines, "new", &coder).value().streams;
  ASSERT_EQ(imported.size(), 1u);
  const StreamSpan all = {StreamPos(0), StreamPos(int64_t{1} << 40)};
  const auto turns = memory->Show("new", all).value();
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].text, "The old stone bridge was built by two brothers.");
  EXPECT_EQ(turns[0].span.begin, StreamPos(1));
  EXPECT_EQ(turns[1].text, "So it is said.\xff");
  EXPECT_EQ(turns[1].role, Role::kAssistant);
  EXPECT_EQ(turns[1].turn, 1);
  EXPECT_EQ(turns[1].time_ms, 1000);
  EXPECT_TRUE(memory->Verify().value().ok);
  // It is a stream of the new tokenizer.
  EXPECT_TRUE(memory->OpenStream("new", "bytes"));
  EXPECT_FALSE(memory->OpenStream("new", "t"));
}

TEST(Import, RetokenizedTextIsJoinedWhereSomethingIsMissing) {
  TempDir dir;
  const auto memory = Open(dir.File("m"));
  {
    const auto stream = memory->OpenStream("s", "t").value();
    Writer writer(stream.get());
    writer.Say(Role::kUser,
               "Keep this long sentence of many words as it is. The heliotrope sentence of as many "
               "words shall be gone. Keep the last sentence with all its many words.");
    writer.Say(Role::kAssistant, "All of this is forgotten, and nothing is left of it.");
    writer.Say(Role::kUser, "And here it goes on.");
  }
  for (const char* gone : {"heliotrope", "All of this"}) {
    ASSERT_TRUE(memory->Forget("s", {.matching = gone}, false));
  }
  ByteCoder coder;
  const auto copy = Open(dir.File("copy"));
  ASSERT_TRUE(Import(*copy, Exported(*memory), "new", &coder));
  const auto turns = copy->Show("new", {StreamPos(0), StreamPos(1000)}).value();
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_THAT(turns[0].text, ::testing::MatchesRegex("Keep this long sentence of many words as it "
                                                     "is.\n *Keep the last sentence with all its "
                                                     "many words."));
  EXPECT_EQ(turns[1].text, "And here it goes on.");
  EXPECT_TRUE(copy->Verify().value().ok);
}

TEST(OpenStream, AnotherTemplateIsRefusedAndAnOlderStreamLearnsItsOwn) {
  TempDir dir;
  const auto memory = Open(dir.File("m"));
  Writer(memory->OpenStream("s", "tok").value().get()).Say(Role::kUser, "Hello there.");
  EXPECT_TRUE(memory->OpenStream("s", "tok+chatml"));
  const auto other = memory->OpenStream("s", "tok+llama3");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().Message(), HasSubstr("another chat template"));
  for (const char* part :
       {"memory export --stream 's'", "memory import --retokenize --stream NEW"}) {
    EXPECT_THAT(other.error().remedy, HasSubstr(part));
    EXPECT_THAT(memory->OpenStream("s", "kot+chatml").error().remedy, HasSubstr(part));
  }
  EXPECT_THAT(memory->OpenStream("s", "kot+chatml").error().fault, HasSubstr("tokenizer"));
  EXPECT_TRUE(memory->OpenStream("s", "tok+chatml"));
}

}  // namespace
}  // namespace anabranch
