#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>

#include "cli/commands.h"
#include "support/temp_dir.h"

namespace anabranch::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::string Script(Shell shell) {
  CommandLine line;
  AddCommands(line);
  return CompletionScript(line.app(), shell);
}

// What bash itself offers for a line whose last word is being typed.
std::vector<std::string> Offered(const std::string& words) {
  const testing::TempDir folder;
  const std::string script =
      folder.WriteFile("complete.sh", Script(Shell::kBash) + "\nCOMP_WORDS=(" + words +
                                          ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_anabranch\n"
                                          "printf '%s\\n' \"${COMPREPLY[@]}\"\n");
  std::FILE* const pipe = popen(("bash '" + script + "'").c_str(), "r");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0);
  std::vector<std::string> offered;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) offered.push_back(line);
  return offered;
}

TEST(CompletionTest, BashOffersCommandsOptionsAndChoices) {
  EXPECT_THAT(Offered("anabranch pe"), ElementsAre("perplexity"));
  EXPECT_THAT(Offered("anabranch memory f"), ElementsAre("forget"));
  EXPECT_THAT(Offered("anabranch run --recent"), ElementsAre("--recent-size"));
  EXPECT_THAT(Offered("anabranch run --recall ''"),
              UnorderedElementsAre("never", "evicted", "always"));
  EXPECT_THAT(Offered("anabranch memory show --sp"), ElementsAre("--span"));
  EXPECT_THAT(Offered("anabranch completion ''"), Contains("fish"));
  EXPECT_THAT(Offered("anabranch run -"), Not(Contains(HasSubstr("_"))));
}

TEST(CompletionTest, BashGoesOnAfterASwitch) {
  EXPECT_THAT(Offered("anabranch run --enable-streaming --recent"), ElementsAre("--recent-size"));
  EXPECT_THAT(Offered("anabranch run --json --recent"), ElementsAre("--recent-size"));
}

TEST(CompletionTest, BashKeepsTheSpacesOfFileNames) {
  const testing::TempDir folder;
  const std::string file = folder.WriteFile("two words.json", "");
  const std::string typed = "'" + folder.File("two") + "'";
  EXPECT_THAT(Offered("anabranch run -f " + typed), ElementsAre(file));
  EXPECT_THAT(Offered("anabranch inspect " + typed), ElementsAre(file));
}

TEST(CompletionTest, OtherShellsHaveEachCommand) {
  for (const char* command : {"run", "chat", "memory", "verify", "completion"}) {
    EXPECT_THAT(Script(Shell::kFish), HasSubstr(command));
    EXPECT_THAT(Script(Shell::kZsh), HasSubstr(command));
  }
  EXPECT_TRUE(Script(Shell::kZsh).starts_with("#compdef anabranch\n"));
  EXPECT_THAT(Script(Shell::kFish), HasSubstr("-l recent-size -r"));
  EXPECT_THAT(Script(Shell::kFish), HasSubstr("-l enable-streaming -d"));
}

}  // namespace
}  // namespace anabranch::cli
