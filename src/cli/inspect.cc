#include "cli/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/json_output.h"
#include "cli/option_types.h"
#include "cli/options.h"

namespace anabranch::cli {
namespace {

struct InspectFlags {
  std::string file;
  SizeFlags sizes;
  RecallFlags recall;
};

// A name of -m, a file, or an embedder's folder.
Result<std::string> FindFile(const std::string& name, const Environment& env) {
  std::error_code error;
  if (std::filesystem::is_directory(name, error)) return name + "/model.safetensors";
  return FindModel(name, ModelKind::kLanguageModel, env);
}

// A file that does not begin as GGUF was read as safetensors: what it is not is both.
Error NamingBothFormats(Error error) {
  constexpr std::string_view kOne = "is no safetensors file";
  if (error.fault.starts_with(kOne)) {
    error.fault.replace(0, kOne.size(), "is neither a GGUF nor a safetensors file");
  }
  return error;
}

std::string PlanText(const StreamPlan& plan) {
  std::string text = fmt::format(
      "memory plan of a stream\n"
      "  pinned        {:>8} tokens\n"
      "  window        {:>8} tokens\n"
      "  recalled text {:>8} tokens\n"
      "  of context    {:>8} tokens that the model was trained for\n"
      "  keys, values  {:>8} slots, {}\n",
      plan.n_pinned, plan.recent_size, plan.recall_slots, plan.n_ctx_train, plan.kv_slots,
      FormatBytes(plan.kv_bytes));
  if (!plan.notice.empty()) text += "  " + plan.notice + "\n";
  return text;
}

std::string FileText(const FileInfo& file) {
  std::string text =
      fmt::format("{}: {}, {}\n\nmetadata\n", file.path, file.format, FormatBytes(file.bytes));
  for (const auto& [key, value] : file.metadata) text += fmt::format("  {} = {}\n", key, value);
  text += fmt::format("\n{} tensors\n", file.tensors.size());
  for (const TensorInfo& tensor : file.tensors) {
    text += fmt::format("  {:<40} {:<6} [{}]  {}{}{}\n", tensor.name, tensor.type,
                        fmt::join(tensor.shape, ", "), FormatBytes(tensor.bytes),
                        tensor.products.empty() ? "" : ", multiplied in ", tensor.products);
  }
  if (!file.kernels.empty()) text += fmt::format("\nkernels {}\n", file.kernels);
  return text;
}

OrderedJson PlanJson(const StreamPlan& plan) {
  return {{"pinned", plan.n_pinned},
          {"recent_size", plan.recent_size},
          {"recall_slots", plan.recall_slots},
          {"n_ctx_train", plan.n_ctx_train},
          {"kv_slots", plan.kv_slots},
          {"kv_bytes", plan.kv_bytes},
          {"notice", plan.notice}};
}

OrderedJson FileJson(const FileInfo& file) {
  OrderedJson metadata = OrderedJson::object();
  for (const auto& [key, value] : file.metadata) metadata[key] = value;
  OrderedJson tensors = OrderedJson::array();
  for (const TensorInfo& tensor : file.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"type", tensor.type},
                       {"shape", tensor.shape},
                       {"bytes", tensor.bytes},
                       {"products", tensor.products}});
  }
  return {{"path", file.path},
          {"format", file.format},
          {"bytes", file.bytes},
          {"kernels", file.kernels},
          {"metadata", std::move(metadata)},
          {"tensors", std::move(tensors)}};
}

int Inspect(const InspectFlags& flags, CommandContext& context) {
  constexpr CommandDefaults kDefaults{.streaming = true};
  Result<StreamOptions> options = ToStreamOptions(flags.sizes, flags.recall, kDefaults, 0);
  if (!options) return ReportUsage(context, options.error());
  Result<std::string> path = FindFile(flags.file, context.env);
  if (!path) return ReportError(context, path.error());
  Result<FileInfo> file = InspectFile(*path);
  if (!file) return ReportError(context, NamingBothFormats(file.error()));

  OrderedJson object = FileJson(*file);
  std::string text = FileText(*file);
  if (file->format.starts_with("GGUF")) {
    Result<StreamPlan> plan = PlanStream(*path, *options);
    if (!plan && plan.error().kind != ErrorKind::kUnsupported) {
      return ReportError(context, plan.error());
    }
    // A model that nothing here runs has no plan, but can be looked at.
    if (!plan) context.terminal.Note("no memory plan: " + plan.error().Message());
    if (plan) {
      object["plan"] = PlanJson(*plan);
      text += "\n" + PlanText(*plan);
    }
  }
  context.terminal.Out(context.common.json ? JsonLine(object) : text);
  return kExitOk;
}

}  // namespace

void AddInspectCommand(CommandLine& line) {
  const auto flags = std::make_shared<InspectFlags>();
  CLI::App& app =
      line.AddCommand("inspect", "What a model file holds, and the memory plan of a stream",
                      [flags](CommandContext& context) { return Inspect(*flags, context); });
  app.add_option("file", flags->file, "GGUF or safetensors file")->required()->type_name("FILE");
  AddSizeOptions(line, app, flags->sizes);
  AddRecallOptions(line, app, flags->recall);
}

}  // namespace anabranch::cli
