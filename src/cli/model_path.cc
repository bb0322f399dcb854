#include "cli/model_path.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

namespace anabranch::cli {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> ModelFolders(const Environment& env) {
  std::vector<fs::path> folders;
  if (const auto models = env("ANABRANCH_MODELS"); models && !models->empty()) {
    folders.emplace_back(*models);
  }
  if (const auto data = env("XDG_DATA_HOME"); data && !data->empty()) {
    folders.push_back(fs::path(*data) / "anabranch/models");
  } else if (const auto home = env("HOME"); home && !home->empty()) {
    folders.push_back(fs::path(*home) / ".local/share/anabranch/models");
  }
  folders.emplace_back("models");
  return folders;
}

// "org/name": one slash, and nothing that would make it a path of a file.
bool LooksLikeHubName(std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  };
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == name.size()) return false;
  if (name.front() == '.' || name.ends_with(".gguf") || name.ends_with(".safetensors")) {
    return false;
  }
  if (name.substr(0, slash) == "models") return false;
  return std::ranges::all_of(name.substr(0, slash), is_word) &&
         std::ranges::all_of(name.substr(slash + 1), is_word);
}

// A path that can be the thing wanted: a model is a file, an embedder is a folder.
Result<std::string> CheckKind(const fs::path& path, ModelKind kind) {
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  if (kind == ModelKind::kLanguageModel && is_folder) {
    return Fail(ErrorKind::kInvalid, path.string(), "is a folder", "name the GGUF file in it");
  }
  if (kind == ModelKind::kEmbedder && !is_folder) {
    return Fail(ErrorKind::kInvalid, path.string(), "is a file",
                "name the folder that holds model.safetensors, vocab.txt and config.json");
  }
  return path.string();
}

}  // namespace

Result<std::string> FindModel(const std::string& name, ModelKind kind, const Environment& env) {
  const bool embedder = kind == ModelKind::kEmbedder;
  const std::string wanted =
      embedder ? "a folder with model.safetensors, vocab.txt and config.json" : "a GGUF file";
  if (name.empty()) {
    return Fail(ErrorKind::kInvalid, embedder ? "--embedder" : "--model", "is empty",
                "give " + wanted);
  }
  std::error_code error;
  if (fs::exists(name, error)) return CheckKind(name, kind);

  const std::vector<fs::path> folders = ModelFolders(env);
  if (!fs::path(name).is_absolute()) {
    for (const fs::path& folder : folders) {
      if (fs::exists(folder / name, error)) return CheckKind(folder / name, kind);
    }
  }
  if (LooksLikeHubName(name)) {
    return Fail(ErrorKind::kNotFound, name,
                "is no file here; it looks like a Hugging Face name, and nothing is fetched",
                fmt::format("download {} and give its path", wanted));
  }
  std::vector<std::string> places;
  for (const fs::path& folder : folders) places.push_back(folder.string());
  return Fail(ErrorKind::kNotFound, name,
              fs::path(name).is_absolute()
                  ? "is not there"
                  : fmt::format("is neither here nor in {}", fmt::join(places, ", ")),
              fmt::format("give the path of {}; script/bootstrap gets the default ones", wanted));
}

}  // namespace anabranch::cli
