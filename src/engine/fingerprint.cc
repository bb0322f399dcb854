#include "engine/fingerprint.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <memory>

namespace anabranch {
namespace {

class Hash {
 public:
  Hash() : state_(XXH3_createState()) { XXH3_64bits_reset(state_.get()); }
  void Add(const void* data, size_t n) {
    const uint64_t length = n;
    XXH3_64bits_update(state_.get(), &length, sizeof(length));
    XXH3_64bits_update(state_.get(), data, n);
  }
  void Add(std::string_view text) { Add(text.data(), text.size()); }
  std::string Hex() const { return fmt::format("{:016x}", XXH3_64bits_digest(state_.get())); }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

}  // namespace

std::string Fingerprint(std::span<const std::span<const std::byte>> parts) {
  Hash hash;
  for (const auto part : parts) hash.Add(part.data(), part.size());
  return hash.Hex();
}

std::string TokenizerFingerprint(const TokenizerSpec& spec) {
  Hash hash;
  hash.Add(spec.model);
  hash.Add(spec.pre);
  hash.Add(spec.add_space_prefix ? "space" : "");
  for (const std::string& token : spec.tokens) hash.Add(token);
  for (const std::string& merge : spec.merges) hash.Add(merge);
  hash.Add(spec.scores.data(), spec.scores.size() * sizeof(float));
  hash.Add(spec.types.data(), spec.types.size() * sizeof(int32_t));
  return hash.Hex();
}

std::string TurnsFingerprint(const std::string& tokenizer, const ChatTemplate& chat_template) {
  Hash hash;
  hash.Add(chat_template.stream_begin);
  hash.Add(chat_template.has_system ? "system" : "");
  for (const Role role : kRoles) {
    hash.Add(chat_template.Header(role));
    hash.Add(chat_template.Footer(role));
  }
  return tokenizer + "+" + hash.Hex();
}

}  // namespace anabranch
