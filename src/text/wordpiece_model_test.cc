// WordPiece over MiniLM's vocabulary against Hugging Face's tokenizers (tools/golden/tokenizer.py).
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/golden_tokens.h"
#include "text/wordpiece.h"

namespace anabranch {
namespace {

using testing::Escaped;

TEST(WordPieceModel, EqualsHuggingFaceIdForId) {
  std::ifstream file(ANABRANCH_SOURCE_DIR "/models/all-MiniLM-L6-v2/vocab.txt");
  const std::string vocab((std::istreambuf_iterator<char>(file)), {});
  const auto wordpiece = WordPiece::Create(vocab);
  ASSERT_TRUE(wordpiece) << wordpiece.error().Message();
  EXPECT_EQ((*wordpiece)->n_vocab(), 30522);

  const std::string folder = ANABRANCH_SOURCE_DIR "/tests/golden/text";
  const std::vector<std::string> strings = testing::ReadGoldenStrings(folder);
  const testing::TokenRows golden = testing::ReadGoldenIds(folder, "wordpiece");
  ASSERT_GT(strings.size(), 3000u);
  ASSERT_EQ(golden.size(), strings.size());
  for (size_t i = 0; i < strings.size(); ++i) {
    std::vector<int32_t> ids;
    for (const TokenId id : (*wordpiece)->Encode(strings[i])) ids.push_back(id.value());
    EXPECT_EQ(ids, golden[i]) << "line " << i + 1 << ": " << Escaped(strings[i]);
  }
}

}  // namespace
}  // namespace anabranch
