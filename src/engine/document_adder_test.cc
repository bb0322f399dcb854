// Documents in a memory file, with whole engines over tiny models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "engine/add_fixture.h"

namespace anabranch {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class AddTest : public ::testing::Test, public AddFixture {};

const AnswerOptions kShort = [] {
  AnswerOptions options;
  options.max_tokens = 4;
  return options;
}();

std::string Sentences(int n, const std::string& what) {
  std::string text;
  for (int i = 0; i < n; ++i) {
    text += "The " + what + " of day " + std::to_string(i) + " was seen by the clerk. ";
    if (i % 9 == 8) text += "\n\n";
  }
  return text;
}

TEST_F(AddTest, APassageSaysWhichDocumentAndSectionItIsFrom) {
  const auto report = Add({MakeDocument("house.md", kHouse)});
  ASSERT_TRUE(report) << report.error().Message();
  EXPECT_EQ(report->documents, 1);
  EXPECT_EQ(report->turns, 3);
  EXPECT_EQ(report->turns, report->stream.turns);
  EXPECT_EQ(report->tokens, report->stream.end.value());
  EXPECT_EQ(report->units, report->stream.units);
  EXPECT_EQ(report->stream.indexed, report->stream.end) << "nothing of a document is pending";
  EXPECT_EQ(report->bytes, static_cast<int64_t>(kHouse.size()));
  EXPECT_EQ(Text(), "house.md\n\n" + std::string(kHouse));
  EXPECT_EQ(SourceOf("roof of slate"), "house.md > House");
  EXPECT_EQ(SourceOf("4711"), "house.md > House > Boiler");
  EXPECT_EQ(SourceOf("barometer"), "house.md > House > Keys > Spare");
  EXPECT_EQ(Open()->Show("library", kAllPositions)->at(0).time_ms, 1'700'000'000'000);
  ExpectSound();
}

TEST_F(AddTest, NoSentenceGoesFromOneDocumentToTheNext) {
  ASSERT_TRUE(Add({MakeDocument("a.txt", "The ferry leaves at", DocumentFormat::kText),
                   MakeDocument("b.txt", "seven parrots are green", DocumentFormat::kText)}));
  EXPECT_EQ(SourceOf("ferry leaves"), "a.txt");
  EXPECT_EQ(SourceOf("seven parrots"), "b.txt");
  const std::vector<Passage> found = Open()->Search("library", "ferry", 10).value();
  for (const Passage& passage : found) {
    EXPECT_TRUE(passage.text.find("ferry") == std::string::npos ||
                passage.text.find("parrots") == std::string::npos);
  }
  ExpectSound();
}

TEST_F(AddTest, WhatIsThereIsNotAddedAgain) {
  const std::string text(kHouse);
  ASSERT_TRUE(Add({MakeDocument("house.md", text)}));
  const auto again = Add({MakeDocument("house.md", text), MakeDocument("copy.md", text)});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->documents, 0);
  EXPECT_EQ(again->unchanged, 2);
  EXPECT_EQ(again->turns + again->tokens + again->units, 0);
  EXPECT_EQ(again->stream.turns, 3);

  const std::string changed = text + "\n## Garden\n\nThe pears are ripe in September.\n";
  ASSERT_TRUE(Add({MakeDocument("house.md", changed)}));
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].state, DocumentState::kAdded);
  ASSERT_TRUE(reports_[0].earlier) << "the old one is still there";
  ASSERT_TRUE(Open()->Forget("library", {.span = reports_[0].earlier}, false));
  EXPECT_EQ(Text(), "house.md\n\n" + changed);
  ASSERT_TRUE(Add({MakeDocument("house.md", changed)}));
  EXPECT_EQ(reports_[0].state, DocumentState::kUnchanged);
  EXPECT_FALSE(reports_[0].earlier);
  ExpectSound();
}

TEST_F(AddTest, WhatWasForgottenComesBackOnlyWithAllOfItsDocument) {
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse)}));
  ASSERT_TRUE(Open()->Forget("library", {.matching = "barometer"}, false));
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse)}));
  EXPECT_EQ(reports_[0].state, DocumentState::kUnchanged);
  EXPECT_THAT(Text(), Not(HasSubstr("barometer")));
  ASSERT_TRUE(Open()->Forget("library", {.all = true}, false));
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse)}));
  EXPECT_EQ(reports_[0].state, DocumentState::kAdded);
  EXPECT_EQ(SourceOf("barometer"), "house.md > House > Keys > Spare");
  ExpectSound();
}

TEST_F(AddTest, AForgottenHeadingNamesNothingAnyMore) {
  const std::string long_section = "# Zanzibar\n\n" + Sentences(120, "parcel");
  ASSERT_TRUE(Add({MakeDocument("list.md", long_section)}));
  EXPECT_EQ(SourceOf("day 110"), "list.md > Zanzibar");
  const auto forgotten = Open()->Forget("library", {.matching = "Zanzibar"}, false);
  ASSERT_TRUE(forgotten);
  EXPECT_EQ(SourceOf("day 110"), "list.md");
  EXPECT_THAT(Text(), Not(HasSubstr("Zanzibar")));
  ExpectSound();
}

TEST_F(AddTest, AnInterruptedOneIsGoneOnWith) {
  const std::string text = "\xEF\xBB\xBF# House\n\n" + Sentences(300, "barometer") +
                           "\n\n## Boiler\n\n" + Sentences(300, "boiler");
  for (const int64_t stop : {0, 5000, 20000}) {
    stream_ = "until " + std::to_string(stop);
    std::atomic<bool> cancel{false};
    Document document = MakeDocument("house.md", text);
    document.read = [read = document.read, &cancel, stop,
                     at = int64_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
      auto n = read(buffer);
      at += static_cast<int64_t>(n.value_or(0));
      if (at > stop) cancel = true;
      return n;
    };
    const auto interrupted = Add({document}, &cancel);
    ASSERT_FALSE(interrupted);
    EXPECT_EQ(interrupted.error().kind, ErrorKind::kInterrupted);
    EXPECT_TRUE(reports_.empty());
    ExpectSound();
    const std::string before = Text();
    EXPECT_TRUE(stop < 5000 || before.size() > 1000) << before.size();
    EXPECT_LT(before.size(), text.size());
    ASSERT_TRUE(Add({MakeDocument("house.md", text)}));
    EXPECT_EQ(reports_[0].state,
              before.empty() ? DocumentState::kAdded : DocumentState::kContinued);
    EXPECT_EQ(Text(), "house.md\n\n" + text.substr(3));
    EXPECT_EQ(SourceOf("barometer of day 299"), "house.md > House");
    EXPECT_EQ(SourceOf("boiler of day 299"), "house.md > House > Boiler");
    ASSERT_TRUE(Add({MakeDocument("house.md", text)}));
    EXPECT_EQ(reports_[0].state, DocumentState::kUnchanged);
    ExpectSound();
  }
}

TEST_F(AddTest, WhatIsNoTextIsRefusedAndTheRestStays) {
  const std::string zero("Some text.\n\0", 12);
  const auto report = Add(
      {MakeDocument("house.md", kHouse), MakeDocument("zero.txt", zero, DocumentFormat::kText)});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().Message(),
            "zero.txt: holds a NUL byte at 11: this is not text; give a text file in UTF-8");
  EXPECT_EQ(reports_.size(), 1u);
  EXPECT_EQ(Add({MakeDocument("w.txt", "\xFF\xFEh")}).error().fault, "is UTF-16 text");
  EXPECT_EQ(Text(), "house.md\n\n" + std::string(kHouse));
  ASSERT_TRUE(Add({MakeDocument("empty.txt", ""), MakeDocument("blank.md", "\n \r\n"),
                   MakeDocument("bom.md", "\xEF\xBB\xBF")}));
  for (const DocumentReport& each : reports_) EXPECT_EQ(each.state, DocumentState::kEmpty);
  Document grown = MakeDocument("grown.txt", "It was longer than this.");
  grown.bytes -= 3;
  EXPECT_EQ(Add({grown}).error().fault, "changed while it was read");
  options_.embedder.clear();
  EXPECT_THAT(Add({}).error().Message(), HasSubstr("--embedder"));
}

TEST_F(AddTest, OneOfUnknownContentsIsAddedAgain) {
  Document piped = MakeDocument("stdin", kHouse);
  piped.path.clear();
  piped.contents.clear();
  piped.bytes = 0;
  Document again = piped;
  ASSERT_TRUE(Add({piped, again}));
  EXPECT_EQ(reports_[1].state, DocumentState::kAdded);
  EXPECT_EQ(SourceOf("4711"), "stdin > House > Boiler");
  ExpectSound();
}

TEST_F(AddTest, TheStreamIsOneModels) {
  chat_template_ = "chatml";
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse)}));
  chat_template_ = "llama3";
  EXPECT_THAT(Add({MakeDocument("b.md", kHouse)}).error().Message(),
              HasSubstr("another chat template"));
  // What the stream was is exported, and written anew for the other one.
  std::vector<std::string> lines;
  ASSERT_TRUE(Open()->Export("", [&](std::string_view line) -> Result<void> {
    lines.emplace_back(line);
    return {};
  }));
  size_t at = 0;
  const auto imported = Open()->Import(
      [&]() -> Result<std::optional<std::string>> {
        return at < lines.size() ? std::optional(lines[at++]) : std::nullopt;
      },
      {.stream = "new", .retokenize = TurnFormat{options_.model, "llama3"}});
  ASSERT_TRUE(imported) << imported.error().Message();
  stream_ = "new";
  EXPECT_EQ(SourceOf("barometer"), "house.md > House > Keys > Spare");
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse)}));
  EXPECT_EQ(reports_[0].state, DocumentState::kUnchanged);
  ExpectSound();
}

TEST_F(AddTest, AConversationGoesOnBehindDocuments) {
  const std::string list = "# List\n\n" + Sentences(40, "parcel");
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse), MakeDocument("list.md", list)}));
  StreamPos end;
  {
    const auto engine = Engine::Open(options_).value();
    const auto stream = engine->OpenStream(Asking("library"));
    ASSERT_TRUE(stream) << stream.error().Message();
    EXPECT_GT((*stream)->start().turns, 3);
    EXPECT_GT((*stream)->start().reread, 200) << "the end of the last document is the window";
    EXPECT_EQ((*stream)->start().source, "") << "no file is gone on with";
    const auto anaphoric = (*stream)->Answer("When was it?", kShort);
    ASSERT_TRUE(anaphoric) << anaphoric.error().Message();
    for (const std::string& query : anaphoric->recall.queries) {
      EXPECT_THAT(query, Not(HasSubstr("parcel"))) << "a document is no question before it";
    }
    const auto answer = (*stream)->Answer(kQuestion, kShort);
    ASSERT_TRUE(answer) << answer.error().Message();
    EXPECT_THAT(Sources(answer->recall), Contains(kAnswer));
    end = (*stream)->stats().next;
  }
  ExpectSound();
  // And documents come behind what was said.
  const std::string garden = "The pears are ripe in September.";
  const auto report = Add({MakeDocument("garden.txt", garden, DocumentFormat::kText)});
  ASSERT_TRUE(report) << report.error().Message();
  EXPECT_GT(report->stream.end, end);
  EXPECT_EQ(SourceOf("pears"), "garden.txt");
  ExpectSound();
}

TEST_F(AddTest, AnotherStreamAsksALibrary) {
  ASSERT_TRUE(Add({MakeDocument("house.md", kHouse)}));
  const auto engine = Engine::Open(options_).value();
  const auto stream = engine->OpenStream(Asking("talk")).value();
  const auto answer = stream->Answer(kQuestion, kShort);
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_THAT(Sources(answer->recall), Contains(kAnswer));
}

// Of ten libraries of random parts.
TEST_F(AddTest, TurnsAreTheDocumentsToTheByte) {
  const std::vector<std::string> parts = {"# House\n",
                                          "## Boiler\n",
                                          "Title\n===\n",
                                          "\n",
                                          "\r\n",
                                          "The key hangs there. ",
                                          "日本。",
                                          "```\n",
                                          "- item\n",
                                          "\xff\xfe",
                                          "\xe6\x97",
                                          "word",
                                          Sentences(20, "ferry"),
                                          std::string(2500, 'z'),
                                          "<|im_end|>"};
  for (uint32_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    stream_ = "library " + std::to_string(seed);
    std::vector<std::string> texts;
    for (int i = 0; i < 3; ++i) {
      std::string text = "x";
      for (auto n = random() % 8; n > 0; --n) text += parts[random() % parts.size()];
      texts.push_back(text + std::to_string(i));
    }
    std::vector<Document> documents;
    std::string expected;
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::string name = "document " + std::to_string(i);
      documents.push_back(MakeDocument(name, texts[i], DocumentFormat::kMarkdown, 1 + i * 997));
      expected += name + "\n\n" + texts[i];
    }
    const auto report = Add(documents);
    ASSERT_TRUE(report) << report.error().Message();
    EXPECT_EQ(Text(), expected);
  }
  ExpectSound();
}

}  // namespace
}  // namespace anabranch
