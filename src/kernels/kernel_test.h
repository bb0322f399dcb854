// What the tests of kernels share: a table with memory of its own, random weights, and which tables
// can be tested here.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/exec.h"
#include "kernels/tables.h"
#include "support/random_weights.h"
#include "tensor/dequantize.h"

namespace anabranch::testing {

// Uploads inputs, downloads results, frees everything, and finds writes that leave their matrix.
// Tasks run on the calling thread, the last one first, as if n_threads shared them: an op that
// depends on their order gives itself away.
class TestBackend {
 public:
  static constexpr ExecLimits kLimits = {
      .max_rows = 64, .max_cols = 1024, .max_heads = 16, .max_head_dim = 128, .max_bands = 48};

  explicit TestBackend(const KernelTable& table, int n_threads = 1);
  ~TestBackend();
  TestBackend(const TestBackend&) = delete;
  TestBackend& operator=(const TestBackend&) = delete;

  const KernelTable& table() const { return table_; }
  Exec& exec() { return exec_; }

  DevPtr Alloc(size_t bytes);
  template <typename T>
  DevPtr Upload(const std::vector<T>& values) {
    return UploadBytes(values.data(), values.size() * sizeof(T));
  }

  // [rows, cols], with some unused floats behind each row.
  Mat Matrix(int32_t rows, int32_t cols, const std::vector<float>& values);
  // The same of an output, filled with what an op must overwrite.
  Mat Output(int32_t rows, int32_t cols);
  // The elements. Expects no fault, and that nothing was written behind a row.
  std::vector<float> Download(const Mat& m);

  Weight Pack(GgufType type, int32_t rows, int32_t cols, const std::vector<unsigned char>& raw,
              FloatWeights floats = FloatWeights::kExact);

 private:
  DevPtr UploadBytes(const void* data, size_t bytes);
  static void RunBackwards(void* self, int64_t n_tasks,
                           void (*fn)(void* arg, int64_t task, int thread), void* arg);

  const KernelTable& table_;
  Exec exec_{};
  std::vector<DevPtr> memory_;
};

// A table at a number of threads.
struct TableCase {
  const KernelTable* table;
  int n_threads;
};

// The tables that this CPU runs. The reference is one of them, at more threads than the one of the
// reference that they are compared with.
std::vector<TableCase> TablesHere();
std::string NameOf(const ::testing::TestParamInfo<TableCase>& c);

// An operation on a table and on the reference.
class TableTest : public ::testing::TestWithParam<TableCase> {
 protected:
  template <typename Op>
  void RunBoth(const Op& op) {
    want_ = op(ref_);
    got_ = op(backend_);
    ASSERT_EQ(got_.size(), want_.size());
  }

  TestBackend backend_{*GetParam().table, GetParam().n_threads};
  TestBackend ref_{kRefKernels};
  std::vector<float> want_, got_;
};

inline constexpr GgufType kAllGgufTypes[] = {
    GgufType::kF32,  GgufType::kF16,  GgufType::kBF16, GgufType::kQ4_0, GgufType::kQ4_1,
    GgufType::kQ5_0, GgufType::kQ5_1, GgufType::kQ8_0, GgufType::kQ2_K, GgufType::kQ3_K,
    GgufType::kQ4_K, GgufType::kQ5_K, GgufType::kQ6_K};

inline bool IsFloatType(GgufType type) { return GgufBlockSize(type) == 1; }

// Values spread evenly around 0 with deviation 1.
std::vector<float> RandomFloats(int64_t n, uint32_t seed);
// A weight as in a file: random numbers, or blocks of random bits with F16 scales around 0.01.
std::vector<unsigned char> RandomRaw(GgufType type, int32_t rows, int32_t cols, uint32_t seed);
std::vector<float> ValuesOf(GgufType type, const std::vector<unsigned char>& raw);

}  // namespace anabranch::testing
