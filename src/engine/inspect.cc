// InspectFile and PlanStream: what a file holds and what a stream would cost, without its weights.
#include <fmt/format.h>

#include <filesystem>
#include <variant>

#include "anabranch/engine.h"
#include "base/result.h"
#include "io/gguf.h"
#include "io/mapped_file.h"
#include "io/safetensors.h"
#include "kernels/cpu_exec.h"
#include "model/model.h"
#include "stream/sizes.h"
#include "text/utf8.h"

namespace anabranch {
namespace {

// Longer strings (chat templates) are cut here.
constexpr size_t kMaxShown = 80;

struct Shown {
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& value) const {
    if (value.size() <= kMaxShown) return value;
    size_t cut = kMaxShown;
    while (cut > 0 && ContinuesCharacter(value[cut])) --cut;
    return fmt::format("{}… ({} bytes)", value.substr(0, cut), value.size());
  }
  std::string operator()(const GgufArray& array) const { return std::visit(*this, array); }
  std::string operator()(const std::vector<int64_t>& array) const {
    return fmt::format("[{} integers]", array.size());
  }
  std::string operator()(const std::vector<double>& array) const {
    return fmt::format("[{} numbers]", array.size());
  }
  std::string operator()(const std::vector<std::string>& array) const {
    return fmt::format("[{} strings]", array.size());
  }
};

std::string TypeName(GgufType type) {
  switch (type) {
    case GgufType::kF32:
      return "F32";
    case GgufType::kF16:
      return "F16";
    case GgufType::kBF16:
      return "BF16";
    case GgufType::kQ4_0:
      return "Q4_0";
    case GgufType::kQ4_1:
      return "Q4_1";
    case GgufType::kQ5_0:
      return "Q5_0";
    case GgufType::kQ5_1:
      return "Q5_1";
    case GgufType::kQ8_0:
      return "Q8_0";
    case GgufType::kQ2_K:
      return "Q2_K";
    case GgufType::kQ3_K:
      return "Q3_K";
    case GgufType::kQ4_K:
      return "Q4_K";
    case GgufType::kQ5_K:
      return "Q5_K";
    case GgufType::kQ6_K:
      return "Q6_K";
  }
  return "unknown";
}

Result<FileInfo> InspectGguf(const std::string& path) {
  ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(path));
  FileInfo info;
  info.path = path;
  info.format = fmt::format("GGUF v{}", file.version());
  info.bytes = file.file_bytes();
  for (const auto& entry : file.metadata()) {
    info.metadata.emplace_back(entry.first, std::visit(Shown(), entry.second));
  }
  ASSIGN_OR_RETURN(const KernelTable* table, SelectKernels(""));
  info.kernels = table->name;
  for (const GgufTensor& tensor : file.tensors()) {
    const char* products = tensor.shape.size() == 2 ? table->products(tensor.type) : nullptr;
    info.tensors.push_back({.name = tensor.name,
                            .type = TypeName(tensor.type),
                            .shape = tensor.shape,
                            .bytes = static_cast<int64_t>(tensor.data.size()),
                            .products = products == nullptr ? "" : products});
  }
  return info;
}

Result<FileInfo> InspectSafetensors(const std::string& path, int64_t bytes) {
  ASSIGN_OR_RETURN(const SafetensorsFile file, SafetensorsFile::Open(path));
  FileInfo info;
  info.path = path;
  info.format = "safetensors";
  info.bytes = bytes;
  for (const SafeTensor& tensor : file.tensors()) {
    info.tensors.push_back({.name = tensor.name,
                            .type = tensor.dtype_name,
                            .shape = tensor.shape,
                            .bytes = static_cast<int64_t>(tensor.data.size()),
                            .products = ""});
  }
  return info;
}

}  // namespace

Result<FileInfo> InspectFile(const std::string& path) {
  std::error_code error;
  const std::string weights = path + "/model.safetensors";
  const std::string file = std::filesystem::exists(weights, error) ? weights : path;
  int64_t n_bytes = 0;
  bool is_gguf = false;
  {
    ASSIGN_OR_RETURN(const MappedFile mapped, MappedFile::Open(file));
    const auto bytes = mapped.bytes();
    n_bytes = static_cast<int64_t>(bytes.size());
    is_gguf = std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
                  .starts_with("GGUF");
  }
  return is_gguf ? InspectGguf(file) : InspectSafetensors(file, n_bytes);
}

Result<StreamPlan> PlanStream(const std::string& gguf_path, const StreamOptions& options) {
  ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(gguf_path));
  ASSIGN_OR_RETURN(const ModelConfig config, ReadModelConfig(file));
  ASSIGN_OR_RETURN(const StreamSizes sizes, PlanSizes(options, config, ModelOptions{}, 0));
  return sizes.plan;
}

}  // namespace anabranch
