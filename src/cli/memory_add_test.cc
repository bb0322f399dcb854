#include "cli/memory_add.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/document_file.h"
#include "cli/run_for_tests.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

namespace anabranch::cli {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHouse =
    "# House\n\nIt has a roof of slate.\n\n## Boiler\n\nThe serial number is 4711.\n";

class MemoryAddTest : public ::testing::Test {
 protected:
  MemoryAddTest() {
    testing::WriteTinyEmbedder(folder_.path());
    folder_.WriteFile("tiny.gguf", testing::TinyModelGguf());
    std::filesystem::create_directory(folder_.File("notes"));
  }
  std::string Note(const std::string& name, const std::string& text) {
    return folder_.WriteFile("notes/" + name, text);
  }
  Ran Add(std::vector<std::string> args) {
    args.insert(args.begin(), {"memory", "add", "-m", folder_.File("tiny.gguf"), "--embedder",
                               folder_.path(), "--memory", memory_});
    return RunLine(args);
  }
  std::string Shown(const std::string& stream) {
    return RunLine({"memory", "show", "--memory", memory_, "--stream", stream}).out;
  }

  testing::TempDir folder_;
  std::string memory_ = folder_.File("notes.db");
};

TEST_F(MemoryAddTest, DocumentsAreReportedAndFound) {
  const std::string house = Note("house.md", kHouse), plan = Note("plan.txt", "# No heading.\n");
  const Ran added = Add({"--stream", "library", house, plan});
  ASSERT_EQ(added.code, kExitOk) << added.err;
  EXPECT_THAT(added.out, HasSubstr("notes/house.md: 2 turns, "));
  EXPECT_THAT(added.out, HasSubstr("notes/plan.txt: 1 turn, "));
  EXPECT_THAT(added.out, HasSubstr("library: 2 documents added, 0 there already: 3 turns, "));
  const Ran found = RunLine({"memory", "search", "--memory", memory_, "--stream", "library",
                             "--embedder", folder_.path(), "the serial number is 4711"});
  EXPECT_THAT(found.out, HasSubstr("  notes/house.md > House > Boiler, "));
  EXPECT_THAT(found.out, HasSubstr("  notes/plan.txt, "));

  const Ran again = Add({"--stream", "library", "--json", house});
  ASSERT_EQ(again.code, kExitOk) << again.err;
  const size_t line_end = again.out.find('\n');
  const auto document = nlohmann::json::parse(again.out.substr(0, line_end));
  EXPECT_EQ(document["type"], "document");
  EXPECT_EQ(document["file"], house);
  EXPECT_EQ(document["state"], "unchanged");
  const auto summary = nlohmann::json::parse(again.out.substr(line_end));
  EXPECT_EQ(summary["type"], "added");
  EXPECT_EQ(summary["stream"], "library");
  EXPECT_EQ(summary["documents"], 0);
  EXPECT_EQ(summary["unchanged"], 1);
  EXPECT_EQ(summary["units"], 0);
  EXPECT_EQ(summary["end"], summary["indexed"]);

  Note("house.md", std::string(kHouse) + "It is new.\n");
  const Ran changed = Add({"--stream", "library", house});
  EXPECT_THAT(changed.err, HasSubstr("another version of it is in the stream"));
  EXPECT_THAT(changed.err, HasSubstr("memory forget --stream 'library' --span 5:"));
}

TEST_F(MemoryAddTest, AWrongCommandLineIsRefused) {
  const std::string house = Note("house.md", kHouse);
  for (const auto& [args, says] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{}, "no document is named"},
           {{"-", house, "-"}, "given twice"},
           {{house, "--format", "pdf"}, "pdf"},
           {{house, "--steam", "x"}, "--stream"}}) {
    const Ran ran = Add(args);
    EXPECT_EQ(ran.code, kExitUsage) << says;
    EXPECT_THAT(ran.err, HasSubstr(says));
  }
  EXPECT_EQ(RunLine({"memory", "add", house}).code, kExitUsage);
  EXPECT_THAT(RunLine({"memory", "add", house, "--memory", memory_, "-m", "none"}).err,
              HasSubstr("none"));
  EXPECT_FALSE(std::filesystem::exists(memory_));
}

TEST_F(MemoryAddTest, AllFilesAreLookedAtBeforeOneIsAdded) {
  const std::string house = Note("house.md", kHouse);
  for (const auto& [file, says] : std::vector<std::pair<std::string, std::string>>{
           {folder_.File("notes/none.md"), "No such file"},
           {folder_.File("notes"), "is a folder"},
           {Note("zero.bin", std::string("two\nlines\n\0", 11)), "zero.bin, line 3: holds a NUL"},
           {Note("late.bin", std::string(200000, '\n') + std::string(1, '\0')), "line 200001"},
           {Note("wide.txt", "\xFF\xFEh"), "UTF-16"}}) {
    const Ran ran = Add({house, file});
    EXPECT_EQ(ran.code, kExitFailure);
    EXPECT_THAT(ran.err, HasSubstr(says));
    EXPECT_FALSE(std::filesystem::exists(memory_)) << "nothing is added";
  }
}

TEST_F(MemoryAddTest, BytesThatAreNoUtf8AreKeptAndNamed) {
  const std::string latin = Note("latin.txt", "Hello.\nCaf\xe9 is open.\n");
  const Ran ran = Add({"--stream", "l", latin, Note("empty.md", "")});
  ASSERT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("is not UTF-8 (1 times, first in line 2)"));
  EXPECT_THAT(ran.out, HasSubstr("notes/empty.md: holds no text"));
  EXPECT_THAT(Shown("l"), HasSubstr("Caf\xe9 is open."));
}

TEST_F(MemoryAddTest, TheFormatCanBeNamed) {
  const std::string text = Note("house.txt", kHouse);
  ASSERT_EQ(Add({"--stream", "m", "--format", "markdown", text}).code, kExitOk);
  ASSERT_EQ(Add({"--stream", "t", "--format=text", text}).code, kExitOk);
  const auto turns = [&](const std::string& stream) {
    const std::string shown = Shown(stream);
    size_t n = 0;
    for (size_t at = 0; (at = shown.find("  user, ", at)) != std::string::npos; ++at) ++n;
    return n;
  };
  EXPECT_EQ(turns("m"), 2u);
  EXPECT_EQ(turns("t"), 1u);
}

TEST_F(MemoryAddTest, APipeIsReadOnce) {
  const std::string pipe = folder_.File("notes/pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { folder_.WriteFile("notes/pipe", kHouse); });
  const Ran ran = Add({"--stream", "p", "--format", "markdown", pipe});
  writer.join();
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(Shown("p"), HasSubstr("4711"));
}

TEST(DocumentFileTest, ADocumentIsCalledByTheEndOfItsPath) {
  EXPECT_EQ(DocumentName("house.md"), "house.md");
  EXPECT_EQ(DocumentName("./house.md"), "house.md");
  EXPECT_EQ(DocumentName("../house.md"), "house.md");
  EXPECT_EQ(DocumentName("/home/ada/notes//house.md"), "notes/house.md");
  EXPECT_EQ(DocumentName("a/../b/house.md"), "b/house.md");
  EXPECT_EQ(DocumentName("/house.md"), "house.md");
  EXPECT_EQ(DocumentName("-"), "stdin");
  EXPECT_EQ(DocumentName("a\nb/c\x7f.md"), "a?b/c?.md");
}

}  // namespace
}  // namespace anabranch::cli
