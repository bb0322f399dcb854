#include "cli/memory_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "anabranch/engine.h"
#include "cli/run_for_tests.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

namespace anabranch::cli {
namespace {

using ::testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class MemoryTransferTest : public ::testing::Test {
 protected:
  MemoryTransferTest() {
    testing::WriteTinyEmbedder(folder_.path());
    folder_.WriteFile("tiny.gguf", testing::TinyModelGguf());
  }
  Ran Import(std::vector<std::string> args) {
    args.insert(args.begin(), {"memory", "import", "--embedder", folder_.path(), "--memory"});
    return RunLine(std::move(args));
  }

  testing::TempDir folder_;
  const std::string lines_ =
      "{\"type\":\"anabranch-export\",\"version\":1}\n"
      "{\"type\":\"stream\",\"stream\":\"s\",\"tokenizer\":\"t\"}\n"
      "{\"type\":\"record\",\"begin\":0,\"end\":1,\"turn\":0,\"role\":\"user\",\"kind\":\"text\","
      "\"time_ms\":5,\"text_begin\":0,\"ids\":[7],\"token_ends\":[8],\"text\":\"hi \\u0000 you\"}\n"
      "{\"type\":\"end\",\"records\":1}\n";
};

TEST_F(MemoryTransferTest, WhatIsImportedIsExportedToAFileOrToStdout) {
  const std::string memory = folder_.File("m.db"), file = folder_.WriteFile("in.jsonl", lines_);
  const Ran imported = Import({memory, file, "--json"});
  EXPECT_EQ(imported.code, kExitOk) << imported.err;
  EXPECT_THAT(imported.out, HasSubstr("\"stream\":\"s\",\"end\":1"));
  EXPECT_EQ(RunLine({"memory", "export", "--memory", memory}).out, lines_);
  EXPECT_EQ(RunLine({"memory", "export", "--memory", memory, "--stream", "s", "-"}).out, lines_);
  const std::string copy = folder_.File("out.jsonl");
  EXPECT_EQ(RunLine({"memory", "export", "--memory", memory, copy}).code, kExitOk);
  EXPECT_EQ(ReadFile(copy), lines_);
}

TEST_F(MemoryTransferTest, AnExportOverwritesNoMemory) {
  const std::string memory = folder_.File("m.db"), link = folder_.File("link.jsonl");
  ASSERT_EQ(Import({memory, folder_.WriteFile("in.jsonl", lines_)}).code, kExitOk);
  std::filesystem::create_symlink(memory, link);
  for (const std::string& file : {memory, link}) {
    const Ran over = RunLine({"memory", "export", "--memory", memory, file});
    EXPECT_EQ(over.code, kExitFailure);
    EXPECT_THAT(over.err, HasSubstr(file + ": is a database"));
  }
  EXPECT_EQ(RunLine({"memory", "export", "--memory", memory}).out, lines_);
}

TEST_F(MemoryTransferTest, RetokenizedItIsAStreamOfTheModel) {
  const std::string memory = folder_.File("m.db"), file = folder_.WriteFile("in.jsonl", lines_);
  const Ran done =
      Import({memory, file, "--retokenize", "-m", folder_.File("tiny.gguf"), "--stream", "new"});
  EXPECT_EQ(done.code, kExitOk) << done.err;
  const std::string exported = RunLine({"memory", "export", "--memory", memory}).out;
  EXPECT_THAT(exported, HasSubstr("\"text\":\"hi \\u0000 you\""));
  EXPECT_THAT(exported, HasSubstr("\"kind\":\"template\""));
}

TEST_F(MemoryTransferTest, WhatIsWrongIsSaidWithItsLine) {
  const std::string memory = folder_.File("m.db");
  const Ran nameless = Import({memory, folder_.WriteFile("in.jsonl", lines_), "--retokenize"});
  EXPECT_EQ(nameless.code, kExitUsage);
  EXPECT_THAT(nameless.err, HasSubstr("--stream"));
  const std::string cut = lines_.substr(0, lines_.size() - 10);
  const Ran torn = Import({memory, folder_.WriteFile("cut.jsonl", cut)});
  EXPECT_EQ(torn.code, kExitFailure);
  EXPECT_THAT(torn.err, HasSubstr("line 4"));
  EXPECT_EQ(RunLine({"memory", "list", "--memory", memory}).out, "");
  EXPECT_THAT(Import({memory, folder_.path()}).err, HasSubstr("is a folder"));
  EXPECT_THAT(RunLine({"memory", "export", "--memory", folder_.File("none")}).err,
              HasSubstr("is not there"));
  EXPECT_THAT(RunLine({"memory", "export", "--memory", memory, folder_.File("no/such/folder")}).err,
              HasSubstr("No such file"));
}

}  // namespace
}  // namespace anabranch::cli
