// Every table's operations on rows, its scan and its memory, against the reference's.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "kernels/kernel_test.h"

namespace anabranch::testing {
namespace {

constexpr int32_t kRowCounts[] = {0, 1, 2, 9, 33};
constexpr int32_t kColCounts[] = {1, 7, 8, 15, 16, 17, 64, 127, 576};
constexpr float kEps = 1e-5f;

class TableRowsTest : public TableTest {};

TEST_P(TableRowsTest, RmsNormIsTheReferencesInPlaceToo) {
  for (int32_t rows : kRowCounts) {
    for (int32_t cols : kColCounts) {
      const auto x = RandomFloats(int64_t{rows} * cols, 1), gain = RandomFloats(cols, 2);
      for (bool in_place : {false, true}) {
        RunBoth([&](TestBackend& backend) {
          const Mat in = backend.Matrix(rows, cols, x);
          const Mat out = in_place ? in : backend.Output(rows, cols);
          backend.table().rms_norm(backend.exec(), in, backend.Upload(gain), kEps, out);
          return backend.Download(out);
        });
        for (size_t i = 0; i < want_.size(); ++i) {
          // A sum of squares of n terms errs by n 2^-24 of itself, its root by half of that.
          const double relative = (cols / 2.0 + 4) * 0x1p-24;
          ASSERT_NEAR(got_[i], want_[i], relative * std::abs(want_[i])) << rows << "x" << cols;
        }
      }
    }
  }
}

TEST_P(TableRowsTest, LayerNormIsTheReferencesInPlaceToo) {
  for (int32_t rows : kRowCounts) {
    for (int32_t cols : kColCounts) {
      auto x = RandomFloats(int64_t{rows} * cols, 1);
      for (float& value : x) value += 3.0f;
      const auto gain = RandomFloats(cols, 2), bias = RandomFloats(cols, 3);
      for (bool in_place : {false, true}) {
        RunBoth([&](TestBackend& backend) {
          const Mat in = backend.Matrix(rows, cols, x);
          const Mat out = in_place ? in : backend.Output(rows, cols);
          backend.table().layer_norm(backend.exec(), in, backend.Upload(gain), backend.Upload(bias),
                                     kEps, out);
          return backend.Download(out);
        });
        for (size_t i = 0; i < want_.size(); ++i) {
          // One column has variance 0, and 1 / sqrt(eps) = 316 magnifies the error of its mean,
          // which is n 2^-24 of values up to 5.
          const double tolerance = (cols == 1 ? 316.0 : 8.0) * 5.0 * (cols + 4) * 0x1p-24;
          ASSERT_NEAR(got_[i], want_[i], tolerance) << rows << "x" << cols;
        }
      }
    }
  }
}

TEST_P(TableRowsTest, ActivationsAreTheReferences) {
  std::vector<float> x;
  for (int i = -2000; i <= 2000; ++i) x.push_back(static_cast<float>(i) * 0.01f);
  x.insert(x.end(), {-1e4f, 1e4f, -100.0f, 100.0f, 0.0f, -88.0f, 88.0f});
  const auto n = static_cast<int32_t>(x.size());
  for (Activation activation : {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh}) {
    RunBoth([&](TestBackend& backend) {
      const Mat m = backend.Matrix(1, n, x);
      backend.table().activate(backend.exec(), m, activation);
      return backend.Download(m);
    });
    for (size_t i = 0; i < x.size(); ++i) {
      // exp, tanh and erf to 2^-21, times x.
      ASSERT_NEAR(got_[i], want_[i], 0x1p-21 * std::abs(x[i])) << x[i];
    }
  }
  for (int32_t rows : kRowCounts) {
    RunBoth([&](TestBackend& backend) {
      const Mat m = backend.Matrix(rows, 19, RandomFloats(int64_t{rows} * 19, 1));
      backend.table().activate(backend.exec(), m, Activation::kSilu);
      return backend.Download(m);
    });
    for (size_t i = 0; i < want_.size(); ++i) ASSERT_NEAR(got_[i], want_[i], 0x1p-20);
  }
}

TEST_P(TableRowsTest, ScanScoresAreTheReferences) {
  for (int32_t n : {0, 1, 5, 256, 257, 700}) {
    for (int32_t cols : {1, 31, 64, 100, 384}) {
      const auto vectors = RandomFloats(int64_t{n} * cols, 1), query = RandomFloats(cols, 2);
      RunBoth([&](TestBackend& backend) {
        const Mat scores = backend.Output(1, n);
        backend.table().scan(backend.exec(), backend.Matrix(n, cols, vectors),
                             backend.Matrix(1, cols, query), scores);
        return backend.Download(scores);
      });
      for (size_t i = 0; i < want_.size(); ++i) {
        double magnitude = 0.0;
        for (size_t c = 0; c < query.size(); ++c) {
          magnitude += std::abs(static_cast<double>(vectors[i * query.size() + c] * query[c]));
        }
        ASSERT_NEAR(got_[i], want_[i], 2.0 * cols * 0x1p-24 * magnitude) << n << "x" << cols;
      }
    }
  }
}

TEST_P(TableRowsTest, ScannedCodesAreTheReferencesExactly) {
  std::mt19937 random(1);
  for (int32_t n : {0, 1, 7, 8, 9, 40}) {
    for (int32_t width : {32, 64, 96, 384, 4096}) {
      for (int32_t n_queries : {0, 1, 2, 3, 4, 5, 8, 11}) {
        for (const bool extreme : {false, true}) {
          constexpr int32_t kBlockRows = 8;
          const auto draw = [&](int32_t most) {
            const auto value = static_cast<int32_t>(random() % static_cast<uint32_t>(2 * most + 1));
            return extreme ? -most : value - most;
          };
          std::vector<std::vector<int8_t>> blocks(static_cast<size_t>((n + 7) / kBlockRows));
          std::vector<int16_t> queries(static_cast<size_t>(n_queries * width));
          for (auto& block : blocks) {
            block.resize(static_cast<size_t>(kBlockRows * width));
            for (int8_t& code : block) code = static_cast<int8_t>(extreme ? -128 : draw(127));
          }
          for (int16_t& code : queries) code = static_cast<int16_t>(draw(kMaxQueryCode));
          const auto scan = [&](TestBackend& backend) {
            std::vector<DevPtr> memory;
            for (const auto& block : blocks) memory.push_back(backend.Upload(block));
            std::vector<int32_t> dots(static_cast<size_t>(n_queries * n) + 1, 77);
            backend.table().scan_codes(backend.exec(), {memory.data(), n, kBlockRows, width},
                                       {queries.data(), n_queries * width}, dots.data());
            EXPECT_EQ(dots.back(), 77);
            return dots;
          };
          ASSERT_EQ(scan(backend_), scan(ref_)) << n << "x" << width << ", " << n_queries;
        }
      }
    }
  }
}

TEST_P(TableRowsTest, MemoryIsAlignedAndKeepsWhatIsUploaded) {
  const KernelTable& table = backend_.table();
  for (int64_t n : {0, 1, 63, 64, 1000}) {
    DevPtr memory;
    ASSERT_TRUE(table.alloc(backend_.exec(), static_cast<size_t>(n), &memory));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.p) % 64, 0u);
    std::vector<unsigned char> in, out(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) in.push_back(static_cast<unsigned char>(i * 7));
    table.upload(backend_.exec(), memory, {in.data(), n});
    table.download(backend_.exec(), {out.data(), n}, memory);
    EXPECT_EQ(out, in);
    table.free(backend_.exec(), memory);
  }
  DevPtr memory;
  EXPECT_FALSE(table.alloc(backend_.exec(), std::numeric_limits<size_t>::max() - 5, &memory));
  table.free(backend_.exec(), DevPtr{});
}

TEST_P(TableRowsTest, ReadSeesEveryWord) {
  constexpr int64_t kBlocks = 3;
  std::vector<uint32_t> words(kBlocks * kReadBlock / sizeof(uint32_t));
  std::mt19937 random(3);
  for (uint32_t& word : words) word = static_cast<uint32_t>(random());
  const auto sums = [&](TestBackend& backend) {
    const DevPtr data = backend.Upload(words);
    std::vector<uint32_t> read(kBlocks);
    backend.table().read(backend.exec(), {data.p, kBlocks * kReadBlock}, read.data());
    return read;
  };
  std::vector<uint32_t> want(kBlocks);
  for (size_t i = 0; i < words.size(); ++i) want[i * sizeof(uint32_t) / kReadBlock] += words[i];
  TestBackend backend(*GetParam().table, GetParam().n_threads);
  EXPECT_EQ(sums(backend), want);
}

TEST_P(TableRowsTest, MultiplyTellsHowMuch) {
  TestBackend backend(*GetParam().table, GetParam().n_threads);
  EXPECT_GT(backend.table().multiply(backend.exec(), true), 0);
  EXPECT_GT(backend.table().multiply(backend.exec(), false), 0);
}

INSTANTIATE_TEST_SUITE_P(Tables, TableRowsTest, ::testing::ValuesIn(TablesHere()), NameOf);

}  // namespace
}  // namespace anabranch::testing
