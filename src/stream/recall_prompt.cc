#include "stream/recall_prompt.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace anabranch {
namespace {

// 3412 as "3,412": models read grouped digits better than bare ones, as people do.
std::string Grouped(int64_t n) {
  std::string digits = std::to_string(n);
  for (auto i = static_cast<int64_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<size_t>(i), ",");
  }
  return digits;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

std::string Body(const std::vector<Passage>& passages, const std::string& stream, StreamPos now) {
  std::string body;
  const std::string* last = nullptr;  // the stream that the last passage is of
  for (const Passage& passage : passages) {
    const bool own = passage.stream == stream;
    if (last == nullptr || *last != passage.stream) {
      body += own ? "Earlier in this conversation:\n" : "From \"" + passage.stream + "\":\n";
    }
    last = &passage.stream;
    body.append("[").append(passage.source.empty() ? RoleName(passage.role) : passage.source);
    if (own) {
      const int64_t age = std::max<int64_t>(0, now - passage.span.begin);
      body.append(", ").append(Grouped(age)).append(" tokens ago");
    }
    body.append("] ").append(Trimmed(passage.text)).append("\n");
  }
  return body;
}

}  // namespace

std::vector<TokenId> RenderRecalled(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                    const std::string& stream, StreamPos now, int64_t max_tokens,
                                    std::vector<Passage>* passages) {
  const Role role = chat_template.has_system ? Role::kSystem : Role::kUser;
  const std::vector<TokenId> header = tokenizer.EncodeTemplate(chat_template.Header(role));
  const std::vector<TokenId> footer = tokenizer.EncodeTemplate(chat_template.Footer(role));
  while (!passages->empty()) {
    std::vector<TokenId> ids = header;
    const std::vector<TokenId> body = tokenizer.Encode(Body(*passages, stream, now));
    ids.insert(ids.end(), body.begin(), body.end());
    ids.insert(ids.end(), footer.begin(), footer.end());
    if (static_cast<int64_t>(ids.size()) <= max_tokens) return ids;
    passages->erase(
        std::min_element(passages->begin(), passages->end(),
                         [](const Passage& a, const Passage& b) { return a.score < b.score; }));
  }
  return {};
}

}  // namespace anabranch
