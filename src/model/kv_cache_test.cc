#include "model/kv_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace anabranch {
namespace {

const KvShape kShape{.n_layers = 3, .n_kv_heads = 2, .head_dim = 5, .slots = 7};

struct Backend {
  explicit Backend(const KernelTable& table = *SelectKernels("ref").value())
      : exec(CpuExec::Create(table, pool,
                             {.max_rows = 1,
                              .max_cols = 1,
                              .max_heads = 1,
                              .max_head_dim = 5,
                              .max_bands = 1,
                              .n_threads = 1})
                 .value()) {}

  std::vector<unsigned char> Read(const DevPtr& from, size_t n) {
    std::vector<unsigned char> bytes(n, 0xAB);
    exec->table().download(exec->exec(), {bytes.data(), static_cast<int64_t>(n)}, from);
    return bytes;
  }
  void Fill(const DevPtr& to, size_t n, unsigned char value) {
    const std::vector<unsigned char> bytes(n, value);
    exec->table().upload(exec->exec(), to, {bytes.data(), static_cast<int64_t>(n)});
  }

  ThreadPool pool{1};
  std::unique_ptr<CpuExec> exec;
};

constexpr size_t kArenaBytes = 2 * 5 * 7 * sizeof(uint16_t);

TEST(KvCache, BeginsAsZeros) {
  Backend backend;
  const KvCache cache = KvCache::Create(*backend.exec, kShape).value();
  for (int32_t layer = 0; layer < kShape.n_layers; ++layer) {
    for (const DevPtr& part : {cache.layer(layer).k, cache.layer(layer).v}) {
      EXPECT_EQ(backend.Read(part, kArenaBytes), std::vector<unsigned char>(kArenaBytes));
    }
  }
}

TEST(KvCache, ArenasOfLayersDoNotOverlap) {
  Backend backend;
  const KvCache cache = KvCache::Create(*backend.exec, kShape).value();
  std::vector<DevPtr> parts;
  for (int32_t layer = 0; layer < kShape.n_layers; ++layer) {
    parts.push_back(cache.layer(layer).k);
    parts.push_back(cache.layer(layer).v);
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    backend.Fill(parts[i], kArenaBytes, static_cast<unsigned char>(i + 1));
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(backend.Read(parts[i], kArenaBytes),
              std::vector<unsigned char>(kArenaBytes, static_cast<unsigned char>(i + 1)));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(parts[i].p) % 64, 0u);
  }
}

TEST(KvCache, ACloneHoldsTheSameAndSharesNothing) {
  Backend backend;
  KvCache cache = KvCache::Create(*backend.exec, kShape).value();
  backend.Fill(cache.layer(2).v, kArenaBytes, 7);
  const KvCache copy = cache.Clone().value();
  EXPECT_EQ(backend.Read(copy.layer(2).v, kArenaBytes), std::vector<unsigned char>(kArenaBytes, 7));
  backend.Fill(cache.layer(2).v, kArenaBytes, 9);
  EXPECT_EQ(backend.Read(copy.layer(2).v, kArenaBytes), std::vector<unsigned char>(kArenaBytes, 7));
}

TEST(KvCache, NoMemoryIsAnErrorWithTheSize) {
  KernelTable no_memory = *SelectKernels("ref").value();
  no_memory.alloc = [](Exec&, size_t, DevPtr*) { return false; };
  Backend backend(no_memory);
  KvShape shape = kShape;
  shape.slots = 1'000'000;
  const auto cache = KvCache::Create(*backend.exec, shape);
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error().kind, ErrorKind::kLimit);
  EXPECT_NE(cache.error().Message().find("120 MB"), std::string::npos) << cache.error().Message();
}

}  // namespace
}  // namespace anabranch
