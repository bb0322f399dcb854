#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "cli/option_types.h"
#include "cli/run.h"
#include "support/temp_dir.h"

namespace anabranch::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A command line with the options of run, and what they were when it ran.
struct Line {
  std::map<std::string, std::string> variables;
  CommandLine line;
  RunOptions options;
  std::vector<std::string> words;
  bool loud = false, ran = false;

  std::string Parse(std::vector<std::string> args) {
    CLI::App& run = line.AddCommand("run", "Run", [](CommandContext&) { return 0; });
    AddRunOptions(line, run, options);
    CLI::App& group = line.AddGroup("memory", "Memory");
    line.AddCommand(group, "list", "List", [](CommandContext&) { return 0; });
    CLI::App& say = line.AddCommand("say", "Say", [](CommandContext&) { return 0; });
    AddWords(say, "words", words, "Words");
    AddSwitch(say, "--loud", loud, "Loud");
    const Environment env = [this](const std::string& name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    const Result<CommandLine::Request> request = line.Parse(std::move(args), env);
    if (!request) return request.error().Message();
    ran = request->run != nullptr;
    return request->text;
  }
};

TEST(CommandLineTest, TheSeedsCommandIsUnderstoodLetterByLetter) {
  Line line;
  EXPECT_EQ(line.Parse({"run", "--enable_streaming", "--model_name_or_path",
                        "models/SmolLM2-135M-Instruct.Q4_1.gguf", "--enable_retriever",
                        "--enable_always_retriever", "--chunk_size", "100", "--recent_size", "4096",
                        "--file_path", "data/prompt_context_length_6000_depth_percent50.json"}),
            "");
  EXPECT_TRUE(line.ran);
  const RunOptions& options = line.options;
  EXPECT_EQ(options.dialogue.model.model, "models/SmolLM2-135M-Instruct.Q4_1.gguf");
  EXPECT_EQ(options.input.file, "data/prompt_context_length_6000_depth_percent50.json");
  const Result<StreamOptions> stream =
      ToStreamOptions(options.dialogue.sizes, options.dialogue.recall, kRunDefaults, 0);
  ASSERT_TRUE(stream);
  EXPECT_TRUE(stream->streaming);
  EXPECT_EQ(stream->recall, RecallMode::kAlways);
  EXPECT_EQ(stream->chunk_size, 100);
  EXPECT_EQ(stream->recent_size, 4096);
}

TEST(CommandLineTest, EveryLongOptionIsSpelledWithUnderscoresToo) {
  Line line;
  line.Parse({"run"});
  const CLI::App* run = line.line.app().get_subcommand("run");
  int spelled = 0;
  for (const CLI::Option* option : run->get_options()) {
    for (std::string name : option->get_lnames()) {
      if (name.find('-') == std::string::npos) continue;
      std::ranges::replace(name, '-', '_');
      EXPECT_TRUE(option->check_name("--" + name)) << name;
      ++spelled;
    }
  }
  EXPECT_GT(spelled, 20);
}

TEST(CommandLineTest, AFlagBeatsTheEnvironmentWhichBeatsTheFile) {
  const testing::TempDir folder;
  const std::string config = folder.WriteFile("c.toml",
                                              "top_k = 1\nchunk-size = 1\n[run]\n"
                                              "chunk_size = 11\nrecent-size = 111\ntemp = 0.5\n"
                                              "enable-streaming = true\nprompt = \"-x\"\n");
  Line line;
  line.variables = {{"ANABRANCH_CHUNK_SIZE", "22"}, {"ANABRANCH_RECENT_SIZE", "222"}};
  EXPECT_EQ(line.Parse({"run", "--recent-size", "333", "--config", config}), "");
  const RunOptions& options = line.options;
  EXPECT_EQ(options.dialogue.sampling.top_k, 1);
  EXPECT_EQ(options.dialogue.recall.chunk_size, 22);
  EXPECT_EQ(options.dialogue.sizes.recent_size, 333);
  EXPECT_FLOAT_EQ(options.dialogue.sampling.temperature.value_or(-1), 0.5f);
  EXPECT_EQ(options.dialogue.sizes.streaming, true);
  EXPECT_EQ(options.input.prompt, "-x");
}

TEST(CommandLineTest, AFlagSilencesWhatWeakerPlacesSayInOtherWords) {
  Line line;
  line.variables = {{"ANABRANCH_ENABLE_RETRIEVER", "1"}, {"ANABRANCH_CTX_SIZE", "99"}};
  EXPECT_EQ(line.Parse({"run", "--recall", "never", "--recent-size", "7"}), "");
  EXPECT_FALSE(line.options.dialogue.recall.retriever);
  EXPECT_EQ(line.options.dialogue.sizes.ctx_size, std::nullopt);
}

TEST(CommandLineTest, TheEnvironmentMayNameTheFile) {
  const testing::TempDir folder;
  Line line;
  line.variables = {{"ANABRANCH_CONFIG", folder.WriteFile("c.toml", "top-k = 3")}};
  EXPECT_EQ(line.Parse({"run"}), "");
  EXPECT_EQ(line.options.dialogue.sampling.top_k, 3);
}

TEST(CommandLineTest, FaultsOfWeakerPlacesNameThem) {
  const testing::TempDir folder;
  const auto fault = [&folder](const char* toml) {
    Line line;
    return line.Parse({"run", "--config", folder.WriteFile("c.toml", toml)});
  };
  EXPECT_THAT(fault("\n\nrecent-sise = 3"), HasSubstr("c.toml, line 3: \"recent-sise\" is no opt"));
  EXPECT_THAT(fault("[rum]\ntop-k = 3"), HasSubstr("[rum] is no command"));
  EXPECT_THAT(fault("top-k = \"many\""), HasSubstr("c.toml, line 1: --top-k: 'many'"));
  EXPECT_THAT(fault("top-k = [1]"), HasSubstr("c.toml, line 1: \"top-k\" is neither"));
  EXPECT_THAT(fault("top-k = "), HasSubstr("c.toml, line 1"));
  Line line;
  line.variables = {{"ANABRANCH_TOP_K", "x"}};
  EXPECT_THAT(line.Parse({"run"}), HasSubstr("$ANABRANCH_TOP_K: --top-k: 'x'"));
  Line missing;
  EXPECT_THAT(missing.Parse({"run", "--config", "no_such.toml"}), HasSubstr("no_such.toml"));
}

TEST(CommandLineTest, UnknownWordsGetASuggestion) {
  const auto fault = [](std::vector<std::string> args) { return Line().Parse(std::move(args)); };
  EXPECT_THAT(fault({"run", "--recent-sise", "3"}), HasSubstr("did you mean --recent-size?"));
  EXPECT_THAT(fault({"run", "--recent_sise=3"}), HasSubstr("did you mean --recent-size?"));
  EXPECT_THAT(fault({"rum"}), HasSubstr("rum: is no command of anabranch; did you mean run?"));
  EXPECT_THAT(fault({"memory", "lst"}), HasSubstr("did you mean list?"));
  EXPECT_THAT(fault({"run", "--xyzzy"}), HasSubstr("see anabranch run --help"));
  EXPECT_THAT(fault({"run", "extra"}), HasSubstr("extra: is one argument too many"));
  EXPECT_THAT(fault({}), HasSubstr("no command was given"));
  EXPECT_THAT(fault({"memory"}), HasSubstr("no command was given"));
}

TEST(CommandLineTest, NumbersAreParsedStrictly) {
  const auto fault = [](const char* option, const char* value) {
    return Line().Parse({"run", option, value});
  };
  for (const char* value :
       {"abc", "", "12x", "1.5", "0", "-3", "99999999999999999999", " 5", "nan"}) {
    EXPECT_THAT(fault("--recent-size", value), HasSubstr("--recent-size: '" + std::string(value)));
  }
  for (const char* value : {"nan", "inf", "-0.1", "1.1", "x", "0x1", ""}) {
    EXPECT_THAT(fault("--top-p", value), HasSubstr("is not a number from 0 to 1")) << value;
  }
  EXPECT_THAT(fault("--recall", "maybe"), HasSubstr("'maybe' is none of never, evicted, always"));
  EXPECT_EQ(fault("--keep", "-1"), "");
  EXPECT_EQ(fault("-n", "-1"), "");
  EXPECT_EQ(fault("-p", "--looks-like-a-flag"), "");
  EXPECT_EQ(fault("-p", ""), "");
}

TEST(CommandLineTest, TheLastOfSeveralValuesCounts) {
  Line line;
  EXPECT_EQ(line.Parse({"run", "--recent-size", "1", "--recent_size", "2"}), "");
  EXPECT_EQ(line.options.dialogue.sizes.recent_size, 2);
}

TEST(CommandLineTest, SwitchesAreTrueOrFalse) {
  const auto streaming = [](const char* word) {
    Line line;
    EXPECT_EQ(line.Parse({"run", word}), "");
    return line.options.dialogue.sizes.streaming;
  };
  EXPECT_EQ(streaming("--json"), std::nullopt);
  EXPECT_EQ(streaming("--enable-streaming"), true);
  EXPECT_EQ(streaming("--enable_streaming=Yes"), true);
  EXPECT_EQ(streaming("--enable-streaming=0"), false);
  EXPECT_THAT(Line().Parse({"run", "--enable-streaming=maybe"}),
              HasSubstr("--enable-streaming: 'maybe' is neither true nor false"));
  EXPECT_THAT(Line().Parse({"run", "--json=99999999999999999999"}), HasSubstr("neither true nor"));
  Line line;
  line.variables = {{"ANABRANCH_ENABLE_STREAMING", "maybe"}};
  EXPECT_THAT(line.Parse({"run"}),
              HasSubstr("$ANABRANCH_ENABLE_STREAMING: --enable-streaming: 'm"));
}

TEST(CommandLineTest, WordsAreTakenAsTheyAre) {
  const auto words = [](std::vector<std::string> args) {
    Line line;
    args.insert(args.begin(), "say");
    EXPECT_EQ(line.Parse(std::move(args)), "");
    return line.words;
  };
  EXPECT_THAT(words({}), ElementsAre());
  EXPECT_THAT(words({"[a,b]"}), ElementsAre("[a,b]"));
  EXPECT_THAT(words({"{}"}), ElementsAre("{}"));
  EXPECT_THAT(words({"", "[]", "run"}), ElementsAre("", "[]", "run"));
  EXPECT_THAT(words({"a", "--loud", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(words({"--", "-x"}), ElementsAre("-x"));
  EXPECT_THAT(words({"a", "--", "-x", "--loud", "--", "run"}),
              ElementsAre("a", "-x", "--loud", "--", "run"));
  EXPECT_THAT(Line().Parse({"say", "-x"}), HasSubstr("-x: is no option of anabranch say"));
  EXPECT_THAT(Line().Parse({"say", "--help"}), HasSubstr("[words...]"));
}

TEST(CommandLineTest, TextForTheModelIsMadeUtf8) {
  Line line;
  EXPECT_EQ(line.Parse({"run", "-p", "caf\xe9", "--system", "\xff"}), "");
  EXPECT_EQ(line.options.input.prompt, "caf\uFFFD");
  EXPECT_EQ(line.options.input.system, "\uFFFD");
}

TEST(CommandLineTest, HelpHasALineForEachOptionWithoutUnderscores) {
  const std::string help = Line().Parse({"run", "--help"});
  for (const char* words :
       {"-m, --model, --model-name-or-path FILE", "--recall never|evicted|always", "23 kB each",
        "-n, --predict, --max-tokens N", "-s, --seed N"}) {
    EXPECT_THAT(help, HasSubstr(words));
  }
  EXPECT_FALSE(std::regex_search(help, std::regex("--[a-z-]*_")));
  EXPECT_THAT(Line().Parse({"--help"}), HasSubstr("memory"));
}

}  // namespace
}  // namespace anabranch::cli
