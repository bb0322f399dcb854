#include "cli/model_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "support/temp_dir.h"

namespace anabranch::cli {
namespace {

using ::testing::HasSubstr;

Environment EnvironmentOf(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

TEST(ModelPathTest, APathThatExistsIsTheModel) {
  const testing::TempDir folder;
  const std::string path = folder.WriteFile("a.gguf", "");
  EXPECT_EQ(FindModel(path, ModelKind::kLanguageModel, EnvironmentOf({})).value(), path);
  EXPECT_EQ(FindModel(folder.path(), ModelKind::kEmbedder, EnvironmentOf({})).value(),
            folder.path());
}

TEST(ModelPathTest, ANameIsLookedForInTheModelsFolderThenInXdgData) {
  const testing::TempDir models, data, home;
  std::filesystem::create_directories(data.File("anabranch/models"));
  std::filesystem::create_directories(home.File(".local/share/anabranch/models"));
  const std::string in_data = data.WriteFile("anabranch/models/a_name.gguf", "");
  const std::string in_home = home.WriteFile(".local/share/anabranch/models/a_name.gguf", "");
  const auto find = [](const Environment& env) {
    return FindModel("a_name.gguf", ModelKind::kLanguageModel, env).value_or("not found");
  };
  EXPECT_EQ(find(EnvironmentOf({{"HOME", home.path()}})), in_home);
  EXPECT_EQ(find(EnvironmentOf({{"HOME", home.path()}, {"XDG_DATA_HOME", data.path()}})), in_data);
  const std::string in_models = models.WriteFile("a_name.gguf", "");
  EXPECT_EQ(
      find(EnvironmentOf({{"ANABRANCH_MODELS", models.path()}, {"XDG_DATA_HOME", data.path()}})),
      in_models);
}

TEST(ModelPathTest, FaultsSayWhatIsWanted) {
  const testing::TempDir folder;
  const std::string file = folder.WriteFile("a.gguf", "");
  const auto fault = [](const std::string& name, ModelKind kind) {
    const Result<std::string> found = FindModel(name, kind, EnvironmentOf({}));
    return found ? "found " + *found : found.error().Message();
  };
  EXPECT_THAT(fault("meta-llama/Llama-2-7b", ModelKind::kLanguageModel),
              HasSubstr("looks like a Hugging Face name, and nothing is fetched; download a GGUF"));
  EXPECT_THAT(fault("sentence-transformers/all-MiniLM-L6-v2-x", ModelKind::kEmbedder),
              HasSubstr("folder with model.safetensors, vocab.txt and config.json"));
  EXPECT_THAT(fault("no_such.gguf", ModelKind::kLanguageModel),
              HasSubstr("no_such.gguf: is neither here nor in models"));
  EXPECT_THAT(fault("models/no_such.gguf", ModelKind::kLanguageModel), HasSubstr("neither here"));
  EXPECT_THAT(fault("/no/such.gguf", ModelKind::kLanguageModel), HasSubstr("is not there"));
  EXPECT_THAT(fault(folder.path(), ModelKind::kLanguageModel), HasSubstr("is a folder"));
  EXPECT_THAT(fault(file, ModelKind::kEmbedder), HasSubstr("is a file"));
}

}  // namespace
}  // namespace anabranch::cli
