#include "kernels/kernel_test.h"

#include <span>

#include "base/check.h"
#include "kernels/cpu_exec.h"

namespace anabranch::testing {
namespace {

constexpr int kPadding = 5;  // odd, so that rows are not aligned
constexpr float kUnused = -12345.0f;
constexpr float kStale = 7e30f;

// Byte offsets of the F16 scales within a block.
std::vector<size_t> ScaleOffsets(GgufType type) {
  switch (type) {
    case GgufType::kQ2_K:
      return {80, 82};
    case GgufType::kQ3_K:
      return {108};
    case GgufType::kQ6_K:
      return {208};
    case GgufType::kQ4_1:
    case GgufType::kQ5_1:
    case GgufType::kQ4_K:
    case GgufType::kQ5_K:
      return {0, 2};
    default:
      return {0};
  }
}

}  // namespace

TestBackend::TestBackend(const KernelTable& table, int n_threads) : table_(table) {
  exec_ = Exec{RunBackwards, this, nullptr, kLimits, nullptr};
  exec_.limits.n_threads = n_threads;
  exec_.scratch = Alloc(table.scratch_bytes(exec_.limits)).p;
}

TestBackend::~TestBackend() {
  for (DevPtr memory : memory_) table_.free(exec_, memory);
}

void TestBackend::RunBackwards(void* self, int64_t n_tasks,
                               void (*fn)(void* arg, int64_t task, int thread), void* arg) {
  const int64_t n_threads = static_cast<TestBackend*>(self)->exec_.limits.n_threads;
  for (int64_t task = n_tasks - 1; task >= 0; --task) {
    fn(arg, task, static_cast<int>(task % n_threads));
  }
}

DevPtr TestBackend::Alloc(size_t bytes) {
  DevPtr memory;
  ANABRANCH_CHECK(table_.alloc(exec_, bytes, &memory));
  memory_.push_back(memory);
  return memory;
}

DevPtr TestBackend::UploadBytes(const void* data, size_t bytes) {
  const DevPtr memory = Alloc(bytes);
  table_.upload(exec_, memory,
                {static_cast<const unsigned char*>(data), static_cast<int64_t>(bytes)});
  return memory;
}

Mat TestBackend::Matrix(int32_t rows, int32_t cols, const std::vector<float>& values) {
  ANABRANCH_CHECK(values.size() == static_cast<size_t>(rows) * static_cast<size_t>(cols));
  std::vector<float> padded;
  for (int64_t r = 0; r < rows; ++r) {
    padded.insert(padded.end(), values.begin() + r * cols, values.begin() + (r + 1) * cols);
    padded.insert(padded.end(), kPadding, kUnused);
  }
  return Mat{Upload(padded), rows, cols, int64_t{cols} + kPadding, DType::kF32};
}

Mat TestBackend::Output(int32_t rows, int32_t cols) {
  const size_t n = static_cast<size_t>(rows) * static_cast<size_t>(cols);
  return Matrix(rows, cols, std::vector<float>(n, kStale));
}

std::vector<float> TestBackend::Download(const Mat& m) {
  const char* fault = table_.sync(exec_);
  EXPECT_EQ(fault, nullptr) << fault;
  std::vector<float> padded(static_cast<size_t>(m.rows * m.stride));
  table_.download(exec_,
                  {reinterpret_cast<unsigned char*>(padded.data()),
                   static_cast<int64_t>(padded.size() * sizeof(float))},
                  m.data);
  std::vector<float> values;
  for (int64_t r = 0; r < m.rows; ++r) {
    const auto row = padded.begin() + r * m.stride;
    values.insert(values.end(), row, row + m.cols);
    for (int64_t c = m.cols; c < m.stride; ++c) {
      EXPECT_EQ(row[c], kUnused) << table_.name << " wrote behind row " << r;
    }
  }
  return values;
}

Weight TestBackend::Pack(GgufType type, int32_t rows, int32_t cols,
                         const std::vector<unsigned char>& raw, FloatWeights floats) {
  const size_t bytes = table_.packed_bytes(type, rows, cols, floats);
  ANABRANCH_CHECK(bytes > 0);
  Weight w;
  ANABRANCH_CHECK(table_.pack(exec_, {raw.data(), static_cast<int64_t>(raw.size())}, type, rows,
                              cols, floats, Alloc(bytes), &w));
  return w;
}

std::vector<TableCase> TablesHere() {
  std::vector<TableCase> cases = {{&kRefKernels, 3}};
  for (const char* name : {"avx2", "avx512"}) {
    if (const auto table = SelectKernels(name)) {
      cases.push_back({*table, 1});
      cases.push_back({*table, 3});
    }
  }
  return cases;
}

std::string NameOf(const ::testing::TestParamInfo<TableCase>& c) {
  return c.param.table->name + std::string("_threads") + std::to_string(c.param.n_threads);
}

std::vector<float> RandomFloats(int64_t n, uint32_t seed) {
  return RandomWeights(seed).Uniform(static_cast<size_t>(n), 1.0f);
}

std::vector<unsigned char> RandomRaw(GgufType type, int32_t rows, int32_t cols, uint32_t seed) {
  const auto block_bytes = static_cast<size_t>(GgufBlockBytes(type));
  const auto n_blocks = static_cast<size_t>(int64_t{rows} * cols / GgufBlockSize(type));
  std::vector<unsigned char> raw(n_blocks * block_bytes);
  RandomWeights random(seed);
  if (IsFloatType(type)) {
    const DType dtype = type == GgufType::kF32   ? DType::kF32
                        : type == GgufType::kF16 ? DType::kF16
                                                 : DType::kBF16;
    StoreFloats(dtype, random.Uniform(n_blocks, 0.1f), raw.data());
    return raw;
  }
  for (unsigned char& byte : raw) byte = static_cast<unsigned char>(random.Bits());
  for (size_t block = 0; block < n_blocks; ++block) {
    for (size_t offset : ScaleOffsets(type)) {
      StoreFloats(DType::kF16, random.Uniform(1, 0.01f), raw.data() + block * block_bytes + offset);
    }
  }
  return raw;
}

std::vector<float> ValuesOf(GgufType type, const std::vector<unsigned char>& raw) {
  const auto n_blocks = raw.size() / static_cast<size_t>(GgufBlockBytes(type));
  std::vector<float> values(n_blocks * static_cast<size_t>(GgufBlockSize(type)));
  Dequantize(type, std::as_bytes(std::span(raw)), values);
  return values;
}

}  // namespace anabranch::testing
