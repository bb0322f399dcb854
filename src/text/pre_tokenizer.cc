#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/pre_tokenizer.h"

#include <fmt/core.h>
#include <pcre2.h>

#include <cstddef>
#include <string>

#include "base/check.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

// Classes, written to stand within brackets. White space is Unicode's White_Space, which none of
// PCRE2's own classes is. Letters, numbers and punctuation are Unicode 15.1's, as in llama.cpp:
// PCRE2 10.42 has those of Unicode 14, and the ranges beside \p are what was added since.
#define SPACE                                                                             \
  "\\x09-\\x0D\\x20\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}" \
  "\\x{205F}\\x{3000}"
#define LETTER                                                                                \
  "\\p{L}\\x{1123F}-\\x{11240}\\x{11F02}\\x{11F04}-\\x{11F10}\\x{11F12}-\\x{11F33}\\x{1342F}" \
  "\\x{13441}-\\x{13446}\\x{1B132}\\x{1B155}\\x{1DF25}-\\x{1DF2A}\\x{1E030}-\\x{1E06D}"       \
  "\\x{1E4D0}-\\x{1E4EB}\\x{2B739}\\x{2EBF0}-\\x{2EE5D}\\x{31350}-\\x{323AF}"
#define NUMBER "\\p{N}\\x{11F50}-\\x{11F59}\\x{1D2C0}-\\x{1D2D3}\\x{1E4F0}-\\x{1E4F9}"
#define PUNCTUATION "\\p{P}\\x{11B00}-\\x{11B09}\\x{11F43}-\\x{11F4F}"

// The last white space before a word belongs to the word.
#define SPACES "[" SPACE "]+(?![^" SPACE "])|[" SPACE "]+"

constexpr const char* kGpt2 =
    "'(?:[stmd]|re|ve|ll)| ?[" LETTER "]+| ?[" NUMBER "]+| ?[^" SPACE LETTER NUMBER "]+|" SPACES;

// Llama 3 and Qwen 2 differ in how many digits make a word.
#define CASELESS_WORDS(digits)                                                                   \
  "'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\\r\\n" LETTER NUMBER "]?[" LETTER "]+|[" NUMBER \
  "]" digits "| ?[^" SPACE LETTER NUMBER "]+[\\r\\n]*|[" SPACE "]*[\\r\\n]+|" SPACES

struct NamedPatterns {
  std::string_view name;
  std::vector<const char*> patterns;
};

const std::vector<NamedPatterns>& AllPatterns() {
  static const std::vector<NamedPatterns> all = {
      {"smollm", {"[" NUMBER "]", kGpt2}},
      {"gpt-2", {kGpt2}},
      {"llama-bpe", {CASELESS_WORDS("{1,3}")}},
      {"qwen2", {CASELESS_WORDS("")}},
      {"default", {"[" PUNCTUATION "$+<=>^~|]+", kGpt2, "[" NUMBER "]+", "[0-9][0-9][0-9]"}},
  };
  return all;
}

#undef SPACE
#undef LETTER
#undef NUMBER
#undef PUNCTUATION
#undef SPACES
#undef CASELESS_WORDS

// Same length, valid for PCRE2: an encoded surrogate (ED A0..BF xx) becomes U+FFFD.
std::string WithoutSurrogates(std::string_view text) {
  std::string valid(text);
  for (size_t i = 0; i + 2 < valid.size(); ++i) {
    if (valid[i] == '\xED' && static_cast<unsigned char>(valid[i + 1]) >= 0xA0) {
      valid.replace(i, 3, "\xEF\xBF\xBD");
    }
  }
  return valid;
}

// The ends of the matches and of the gaps between them, in [begin, end) of the text.
void MatchAll(const pcre2_code* pattern, pcre2_match_data* match, std::string_view text,
              size_t begin, size_t end, std::vector<size_t>* ends) {
  const std::string_view subject = text.substr(begin, end - begin);
  size_t pos = 0;
  while (pos < subject.size()) {
    const int found = pcre2_match(pattern, reinterpret_cast<PCRE2_SPTR>(subject.data()),
                                  subject.size(), pos, PCRE2_NO_UTF_CHECK, match, nullptr);
    if (found < 0) break;  // no further match, or one beyond PCRE2's limits: the rest is one word
    const PCRE2_SIZE* const span = pcre2_get_ovector_pointer(match);
    if (span[0] > pos) ends->push_back(begin + span[0]);
    ends->push_back(begin + span[1]);
    pos = span[1];
  }
  if (pos < subject.size()) ends->push_back(end);
}

}  // namespace

void PreTokenizer::FreeCode::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

Result<PreTokenizer> PreTokenizer::Create(std::string_view name) {
  std::string known;
  for (const NamedPatterns& named : AllPatterns()) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", named.name);
    if (named.name != name) continue;
    PreTokenizer pre_tokenizer;
    for (const char* pattern : named.patterns) {
      int error = 0;
      PCRE2_SIZE offset = 0;
      pcre2_code* const code =
          pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern), PCRE2_ZERO_TERMINATED, PCRE2_UTF,
                        &error, &offset, nullptr);
      ANABRANCH_CHECK(code != nullptr);  // the patterns are ours
      pre_tokenizer.patterns_.emplace_back(code);
      pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where there is no JIT, PCRE2 interprets
    }
    return pre_tokenizer;
  }
  return Fail(ErrorKind::kUnsupported, fmt::format("pre-tokenizer \"{}\"", name),
              "it is not known here", "known are " + known);
}

std::vector<std::string_view> PreTokenizer::Split(std::string_view text) const {
  std::string valid;
  std::string_view subject = text;
  if (!IsValidUtf8(text)) subject = valid = WithoutSurrogates(text);

  std::vector<size_t> ends = {text.size()};
  for (const auto& pattern : patterns_) {
    const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match(
        pcre2_match_data_create_from_pattern(pattern.get(), nullptr), pcre2_match_data_free);
    ANABRANCH_CHECK(match != nullptr);
    std::vector<size_t> finer;
    size_t begin = 0;
    for (const size_t end : ends) {
      MatchAll(pattern.get(), match.get(), subject, begin, end, &finer);
      begin = end;
    }
    ends = std::move(finer);
  }

  std::vector<std::string_view> words;
  words.reserve(ends.size());
  size_t begin = 0;
  for (const size_t end : ends) {
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

}  // namespace anabranch
