#include "io/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "support/gguf_builder.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

namespace anabranch {
namespace {

using ::testing::ElementsAre;
using testing::GgufBuilder;
using ::testing::HasSubstr;

template <typename... T>
std::string Raw(T... values) {
  std::string raw;
  (raw.append(reinterpret_cast<const char*>(&values), sizeof(values)), ...);
  return raw;
}

std::span<const std::byte> Bytes(const std::string& file) { return std::as_bytes(std::span(file)); }

GgufFile MustParse(const std::string& file) {
  Result<GgufFile> gguf = GgufFile::Parse(Bytes(file), "x.gguf");
  EXPECT_TRUE(gguf) << gguf.error().Message();
  return gguf ? *gguf : GgufFile();
}

TEST(Gguf, ReadsScalarsOfEveryType) {
  // The numbers of the types are those of the specification.
  std::string file = GgufBuilder()
                         .Value("u8", 0, Raw(uint8_t{200}))
                         .Value("i8", 1, Raw(int8_t{-100}))
                         .Value("u16", 2, Raw(uint16_t{60000}))
                         .Value("i16", 3, Raw(int16_t{-30000}))
                         .Uint32("u32", 4000000000u)
                         .Value("i32", 5, Raw(int32_t{-2000000000}))
                         .Float32("f32", 0.25f)
                         .Bool("yes", true)
                         .Bool("no", false)
                         .String("text", "a\nb")
                         .Value("u64", 10, Raw(uint64_t{1} << 62))
                         .Value("i64", 11, Raw(INT64_MIN))
                         .Value("f64", 12, Raw(1e300))
                         .Build();
  GgufFile gguf = MustParse(file);
  EXPECT_EQ(gguf.Int("u8"), 200);
  EXPECT_EQ(gguf.Int("i8"), -100);
  EXPECT_EQ(gguf.Int("u16"), 60000);
  EXPECT_EQ(gguf.Int("i16"), -30000);
  EXPECT_EQ(gguf.Int("u32"), 4000000000);
  EXPECT_EQ(gguf.Int("i32"), -2000000000);
  EXPECT_EQ(gguf.Float("f32"), 0.25);
  EXPECT_EQ(gguf.Bool("yes"), true);
  EXPECT_EQ(gguf.Bool("no"), false);
  EXPECT_EQ(gguf.String("text"), "a\nb");
  EXPECT_EQ(gguf.Int("u64"), int64_t{1} << 62);
  EXPECT_EQ(gguf.Int("i64"), INT64_MIN);
  EXPECT_EQ(gguf.Float("f64"), 1e300);
  EXPECT_EQ(gguf.metadata().size(), 13u);
  EXPECT_EQ(gguf.metadata()[9].first, "text");
  EXPECT_EQ(gguf.file_bytes(), static_cast<int64_t>(file.size()));
}

TEST(Gguf, ReadsArrays) {
  GgufFile gguf = MustParse(GgufBuilder()
                                .Strings("strings", {"", "ab", "c"})
                                .Float32s("floats", {1.5f, -2.0f})
                                .Int32s("ints", {-1, 7})
                                .Value("bools", 9, Raw(uint32_t{7}, uint64_t{2}) + "\x01" + '\0')
                                .Value("empty", 9, Raw(uint32_t{8}, uint64_t{0}))
                                .Build());
  EXPECT_THAT(*gguf.Strings("strings"), ElementsAre("", "ab", "c"));
  EXPECT_THAT(*gguf.Floats("floats"), ElementsAre(1.5, -2.0));
  EXPECT_THAT(*gguf.Ints("ints"), ElementsAre(-1, 7));
  EXPECT_THAT(*gguf.Ints("bools"), ElementsAre(1, 0));
  EXPECT_TRUE(gguf.Strings("empty")->empty());
}

TEST(Gguf, FloatAcceptsIntegers) {
  EXPECT_EQ(MustParse(GgufBuilder().Uint32("theta", 10000).Build()).Float("theta"), 10000.0);
}

TEST(Gguf, LookUpsNameFileAndKey) {
  GgufFile gguf = MustParse(GgufBuilder().String("general.name", "x").Build());
  Result<int64_t> wrong_type = gguf.Int("general.name");
  ASSERT_FALSE(wrong_type);
  EXPECT_EQ(wrong_type.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(wrong_type.error().Message(),
              HasSubstr("x.gguf: key 'general.name' is not an integer;"));
  for (const Result<void>& missing :
       {gguf.Int("k").map([](auto) {}), gguf.Float("k").map([](auto) {}),
        gguf.Bool("k").map([](auto) {}), gguf.String("k").map([](auto) {}),
        gguf.Strings("k").map([](auto) {}), gguf.Ints("k").map([](auto) {}),
        gguf.Floats("k").map([](auto) {})}) {
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(missing.error().Message(), HasSubstr("x.gguf: key 'k' is missing;"));
  }
  Result<const GgufTensor*> tensor = gguf.Tensor("blk.0.attn_q.weight");
  ASSERT_FALSE(tensor);
  EXPECT_EQ(tensor.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(tensor.error().Message(), HasSubstr("x.gguf: tensor 'blk.0.attn_q.weight' is miss"));
}

// Both versions, and alignments other than the default: where the data begins depends on it.
TEST(Gguf, TensorsKeepOrderShapeAndBytes) {
  for (uint32_t version : {2u, 3u}) {
    for (uint32_t alignment : {8u, 32u, 256u}) {
      std::string q8(34, 'q');
      std::string file = GgufBuilder(version)
                             .Alignment(alignment)
                             .TensorF32("matrix", {3, 2}, {1, 2, 3, 4, 5, 6})
                             .Tensor("quantised", 8, {32, 1, 1}, q8)
                             .TensorF32("scalar", {}, {7})
                             .Build();
      GgufFile gguf = MustParse(file);
      EXPECT_EQ(gguf.version(), version);
      ASSERT_EQ(gguf.tensors().size(), 3u);
      const GgufTensor& matrix = gguf.tensors()[0];
      EXPECT_EQ(matrix.name, "matrix");
      EXPECT_EQ(matrix.type, GgufType::kF32);
      EXPECT_EQ(matrix.cols(), 3);
      EXPECT_EQ(matrix.rows(), 2);
      const float values[] = {1, 2, 3, 4, 5, 6};
      ASSERT_EQ(matrix.data.size(), sizeof(values));
      EXPECT_EQ(std::memcmp(matrix.data.data(), values, sizeof(values)), 0);
      const GgufTensor* quantised = *gguf.Tensor("quantised");
      EXPECT_EQ(quantised->type, GgufType::kQ8_0);
      ASSERT_EQ(quantised->data.size(), q8.size());
      EXPECT_EQ(std::memcmp(quantised->data.data(), q8.data(), q8.size()), 0);
      EXPECT_EQ((*gguf.Tensor("scalar"))->cols(), 1);
      EXPECT_EQ((*gguf.Tensor("scalar"))->data.size(), sizeof(float));
    }
  }
}

TEST(Gguf, TinyModelsOfTestsAreWellFormed) {
  using testing::TinyWeights;
  const std::pair<TinyWeights, GgufType> cases[] = {{TinyWeights::kF32, GgufType::kF32},
                                                    {TinyWeights::kQ8_0, GgufType::kQ8_0},
                                                    {TinyWeights::kQ4_0, GgufType::kQ4_0}};
  for (const auto& [weights, type] : cases) {
    testing::TinyModelOptions options;
    options.weights = weights;
    options.tied = false;
    const std::string file = TinyModelGguf(options);
    EXPECT_EQ(file, TinyModelGguf(options)) << "same options, same bytes";
    GgufFile gguf = MustParse(file);
    EXPECT_EQ((*gguf.Tensor("output.weight"))->type, type);
    EXPECT_EQ((*gguf.Tensor("output.weight"))->rows(), gguf.Int("llama.vocab_size"));
    EXPECT_EQ((*gguf.Tensor("blk.1.ffn_down.weight"))->cols(), options.n_ff);
  }
}

TEST(Gguf, OpenMapsTheFileAndDropLeavesItReadable) {
  testing::TempDir dir;
  std::vector<float> values(100'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  std::string path =
      dir.WriteFile("m.gguf", GgufBuilder().TensorF32("t", {100, 1000}, values).Build());
  Result<GgufFile> opened = GgufFile::Open(path);
  ASSERT_TRUE(opened) << opened.error().Message();
  GgufFile gguf = std::move(*opened);
  EXPECT_EQ(gguf.path(), path);
  const GgufTensor* tensor = *gguf.Tensor("t");
  for (int pass = 0; pass < 2; ++pass) {
    ASSERT_EQ(tensor->data.size(), values.size() * sizeof(float));
    EXPECT_EQ(std::memcmp(tensor->data.data(), values.data(), tensor->data.size()), 0);
    gguf.Drop(*tensor);
  }
}

TEST(Gguf, OpenRefusesWhatIsNoFile) {
  testing::TempDir dir;
  std::string missing = dir.File("no.gguf");
  std::string empty = dir.WriteFile("empty.gguf", "");
  const std::pair<std::string, ErrorKind> cases[] = {
      {missing, ErrorKind::kNotFound},   {missing + "/below", ErrorKind::kNotFound},
      {dir.path(), ErrorKind::kInvalid}, {"/dev/null", ErrorKind::kInvalid},
      {empty, ErrorKind::kCorrupt},
  };
  for (const auto& [path, kind] : cases) {
    Result<GgufFile> gguf = GgufFile::Open(path);
    ASSERT_FALSE(gguf) << path;
    EXPECT_EQ(gguf.error().kind, kind) << path;
    EXPECT_EQ(gguf.error().what, path);
    EXPECT_FALSE(gguf.error().remedy.empty()) << path;
  }
}

}  // namespace
}  // namespace anabranch
