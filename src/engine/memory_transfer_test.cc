// Export, import and another template, with whole engines over tiny models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "anabranch/engine.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

namespace anabranch {
namespace {

using ::testing::HasSubstr;

class MemoryTransfer : public ::testing::Test {
 protected:
  MemoryTransfer() {
    testing::WriteTinyEmbedder(dir_.path());
    options_.model = dir_.WriteFile("tiny.gguf", testing::TinyModelGguf({.n_ctx_train = 1024}));
    options_.embedder = dir_.path();
    options_.memory = dir_.File("memory.db");
    options_.n_threads = 1;
    stream_.recent_size = 128;
    stream_.recall = RecallMode::kEvicted;
    stream_.recall_tokens = 150;
  }
  Result<std::unique_ptr<Stream>> OpenStream(const std::string& chat_template) {
    options_.chat_template = chat_template;
    auto engine = Engine::Open(options_);
    EXPECT_TRUE(engine) << engine.error().Message();
    engine_ = *std::move(engine);
    return engine_->OpenStream(stream_);
  }
  std::vector<std::string> Exported() {
    const auto memory = MemoryFile::Open(options_).value();
    std::vector<std::string> lines;
    EXPECT_TRUE(memory->Export("", [&](std::string_view line) -> Result<void> {
      lines.emplace_back(line);
      return {};
    }));
    return lines;
  }
  Result<StreamsReport> Import(const std::vector<std::string>& lines,
                               const ImportOptions& options) {
    const auto memory = MemoryFile::OpenOrCreate(options_).value();
    size_t at = 0;
    return memory->Import(
        [&]() -> Result<std::optional<std::string>> {
          return at < lines.size() ? std::optional(lines[at++]) : std::nullopt;
        },
        options);
  }

  testing::TempDir dir_;
  EngineOptions options_;
  StreamOptions stream_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(MemoryTransfer, AnotherTemplateIsRefusedUntilTheStreamIsWrittenAnew) {
  {
    const auto stream = OpenStream("chatml").value();
    ASSERT_TRUE(stream->Read(Role::kUser, "the parcel 4711 is under the stair"));
    ASSERT_TRUE(stream->Read(Role::kAssistant, "I see"));
  }
  const auto refused = OpenStream("llama3");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().Message(), HasSubstr("another chat template"));
  EXPECT_THAT(refused.error().remedy, HasSubstr("memory import --retokenize --stream NEW"));
  engine_.reset();

  const auto report =
      Import(Exported(), {.stream = "new", .retokenize = TurnFormat{options_.model, "llama3"}});
  ASSERT_TRUE(report) << report.error().Message();
  EXPECT_EQ(report->streams.at(0).turns, 2);
  EXPECT_EQ(report->behind, "");
  stream_.name = "new";
  {
    const auto stream = OpenStream("llama3");
    ASSERT_TRUE(stream) << stream.error().Message();
    EXPECT_EQ((*stream)->start().turns, 2);
    ASSERT_TRUE((*stream)->Read(Role::kUser, "and so it goes on"));
  }
  const auto memory = MemoryFile::Open(options_).value();
  const StreamSpan all = {StreamPos(0), StreamPos(100000)};
  const auto turns = memory->Show("new", all).value();
  ASSERT_EQ(turns.size(), 3u);
  EXPECT_EQ(turns[0].text, "the parcel 4711 is under the stair");
  EXPECT_EQ(turns[1].role, Role::kAssistant);
  EXPECT_TRUE(memory->Verify().value().ok);
}

TEST_F(MemoryTransfer, AnImportGoesOnWhereTheStreamWasExported) {
  StreamPos end;
  {
    const auto stream = OpenStream("").value();
    ASSERT_TRUE(stream->Read(Role::kUser, "the parcel 4711 is under the stair"));
    end = stream->stats().next;
  }
  engine_.reset();
  const std::vector<std::string> lines = Exported();
  options_.memory = dir_.File("copy.db");
  ASSERT_TRUE(Import(lines, {}));
  EXPECT_EQ(Exported(), lines);
  const auto stream = OpenStream("");
  ASSERT_TRUE(stream) << stream.error().Message();
  EXPECT_EQ((*stream)->start().end, end);
}

TEST_F(MemoryTransfer, ImportedTokensThatAreNoneOfTheModelAreRefusedNotRead) {
  {
    const auto stream = OpenStream("").value();
    ASSERT_TRUE(stream->Read(Role::kUser, "hello"));
  }
  engine_.reset();
  std::vector<std::string> lines = Exported();
  bool changed = false;
  for (std::string& line : lines) {
    const size_t at = line.find("\"ids\":[");
    if (at == std::string::npos) continue;
    line.insert(at + 7, "2147483647,");
    const size_t end = line.find("\"end\":") + 6;
    line.replace(end, line.find(',', end) - end, std::to_string(std::stoll(line.substr(end)) + 1));
    changed = true;
    break;
  }
  ASSERT_TRUE(changed);
  // The record after it does not continue a longer one: only the first is left.
  lines = {lines[0], lines[1], lines[2], "{\"type\":\"end\",\"records\":1}\n"};
  options_.memory = dir_.File("hostile.db");
  const auto imported = Import(lines, {});
  ASSERT_TRUE(imported) << imported.error().Message();
  const auto stream = OpenStream("");
  ASSERT_FALSE(stream);
  EXPECT_THAT(stream.error().Message(), HasSubstr("vocabulary"));
}

}  // namespace
}  // namespace anabranch
