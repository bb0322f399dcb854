#include "cli/tokenize.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "anabranch/engine.h"
#include "cli/input.h"
#include "cli/json_output.h"
#include "cli/model_path.h"
#include "cli/option_types.h"

namespace anabranch::cli {
namespace {

constexpr size_t kMaxTextBytes = size_t{1} << 30;

struct TokenizeFlags {
  std::string model = kDefaultModel;
  std::vector<std::string> words;
  std::optional<std::string> prompt, file;
  bool ids = false, special = false;
};

Result<std::string> ReadText(const TokenizeFlags& flags, CommandContext& context) {
  if (flags.prompt) return *flags.prompt;
  if (!flags.words.empty()) return fmt::format("{}", fmt::join(flags.words, " "));
  Result<Input> input = OpenInput(flags.file.value_or("-"), "", context.cancel);
  if (!input) return tl::unexpected(input.error());
  return ReadAll(*input, kMaxTextBytes);
}

Result<std::vector<TokenId>> ParseIds(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n,[]";
  std::vector<TokenId> ids;
  for (size_t begin = text.find_first_not_of(kBetween); begin != std::string_view::npos;
       begin = text.find_first_not_of(kBetween, begin)) {
    const size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
    Result<int64_t> id =
        ParseInteger(text.substr(begin, end - begin), 0, std::numeric_limits<int32_t>::max());
    if (!id) return Fail(ErrorKind::kInvalid, "--ids", id.error().fault, "give token ids");
    ids.emplace_back(static_cast<int32_t>(*id));
    begin = end;
  }
  return ids;
}

Result<void> ShowText(std::string_view text, const TokenizerFile& tokenizer,
                      CommandContext& context) {
  Result<std::vector<TokenId>> ids = ParseIds(text);
  if (!ids) return tl::unexpected(ids.error());
  Result<std::string> decoded = tokenizer.Decode(*ids);
  if (!decoded) return tl::unexpected(decoded.error());
  context.terminal.Out(context.common.json ? JsonLine({{"text", *decoded}}) : *decoded);
  return {};
}

void ShowIds(std::string_view text, bool special, const TokenizerFile& tokenizer,
             CommandContext& context) {
  const std::vector<TokenId> tokens =
      special ? tokenizer.EncodeTemplate(text) : tokenizer.Encode(text);
  std::vector<int32_t> ids;
  for (const TokenId token : tokens) ids.push_back(token.value());
  if (!context.common.json) {
    context.terminal.Out(fmt::format("{}\n", fmt::join(ids, " ")));
    return;
  }
  OrderedJson pieces = OrderedJson::array();
  for (const TokenId token : tokens) pieces.push_back(tokenizer.TokenText(token));
  context.terminal.Out(JsonLine({{"ids", ids}, {"tokens", std::move(pieces)}}));
}

int Tokenize(const TokenizeFlags& flags, CommandContext& context) {
  if (!flags.prompt && flags.words.empty() && !flags.file && context.stdin_is_terminal) {
    return ReportUsage(context, {.kind = ErrorKind::kInvalid,
                                 .what = "tokenize",
                                 .fault = "there is no text",
                                 .remedy = "give one as argument, with -f, or on stdin"});
  }
  Result<std::string> model = FindModel(flags.model, ModelKind::kLanguageModel, context.env);
  if (!model) return ReportError(context, model.error());
  Result<std::unique_ptr<TokenizerFile>> tokenizer = TokenizerFile::Open(*model);
  if (!tokenizer) return ReportError(context, tokenizer.error());
  Result<std::string> text = ReadText(flags, context);
  if (!text) return ReportError(context, text.error());
  if (flags.ids) {
    Result<void> shown = ShowText(*text, **tokenizer, context);
    return shown ? kExitOk : ReportError(context, shown.error());
  }
  ShowIds(*text, flags.special, **tokenizer, context);
  return kExitOk;
}

}  // namespace

void AddTokenizeCommand(CommandLine& line) {
  const auto flags = std::make_shared<TokenizeFlags>();
  CLI::App& app =
      line.AddCommand("tokenize", "Text to token ids, and back",
                      [flags](CommandContext& context) { return Tokenize(*flags, context); });
  AddWords(app, "text", flags->words, "Text, or ids with --ids; else stdin");
  AddText(app, "-p,--prompt", flags->prompt, "Text, or ids with --ids");
  AddText(app, "-f,--file,--file-path", flags->file, "Text to read, -: stdin")->type_name("FILE");
  AddSwitch(app, "--ids", flags->ids, "The input is token ids: show their text");
  AddSwitch(app, "--special", flags->special, "Recognise the model's special tokens in the text");
  AddText(app, "-m,--model,--model-name-or-path", flags->model,
          fmt::format("GGUF model: a path or a name [{}]", kDefaultModel))
      ->type_name("FILE");
}

}  // namespace anabranch::cli
