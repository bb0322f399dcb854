#include "cli/chat_input.h"

#include <string_view>

#include "cli/input.h"

namespace anabranch::cli {
namespace {

constexpr std::string_view kFence = "\"\"\"";
constexpr size_t kMaxLineBytes = size_t{64} << 20;

class PlainLines final : public ChatInput {
 public:
  explicit PlainLines(const std::atomic<bool>* cancel) : bytes_(StdinInput(cancel)) {}
  Result<std::optional<std::string>> Line(const char*) override {
    return bytes_.Line(kMaxLineBytes);
  }
  void Remember(const std::string&) override {}

 private:
  InputBuffer bytes_;
};

}  // namespace

std::unique_ptr<ChatInput> MakePlainLines(const std::atomic<bool>* cancel) {
  return std::make_unique<PlainLines>(cancel);
}

Result<std::optional<std::string>> ReadMessage(ChatInput& input) {
  Result<std::optional<std::string>> line = input.Line("> ");
  if (!line || !*line) return line;
  std::string message = **line;
  if (message.starts_with(kFence)) {
    message.erase(0, kFence.size());
    while (!message.ends_with(kFence)) {
      line = input.Line(". ");
      if (!line) return line;
      if (!*line) break;  // the end of input closes the text as well
      if (!message.empty()) message += '\n';
      message += **line;
    }
    if (message.ends_with(kFence)) message.erase(message.size() - kFence.size());
    if (message.ends_with('\n')) message.pop_back();  // of the line before the closing quotes
  }
  input.Remember(message);
  return std::optional<std::string>(std::move(message));
}

}  // namespace anabranch::cli
