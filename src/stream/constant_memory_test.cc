// Streaming is constant. In Release alone: sanitizers and checks keep books that grow.
#ifdef NDEBUG
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "stream/tiny_stream.h"

namespace anabranch {
namespace {

using testing::TinyStreams;

int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST(ConstantMemory, ResidentSizeAfter200000TokensIsThatAfter20000) {
  const TinyStreams tiny(
      {.n_layers = 1, .n_embd = 32, .n_heads = 1, .n_kv_heads = 1, .head_dim = 32, .n_ff = 32}, 64);
  StreamOptions options;
  options.recent_size = 64;
  const auto stream = tiny.Open(options);
  const std::string text(1000, 'c');
  const auto read_to = [&](int64_t tokens) {
    while (stream->stats().tokens < tokens) {
      ASSERT_TRUE(stream->Read(Role::kUser, text, 0, nullptr));
    }
  };
  read_to(20000);
  const int64_t early = ResidentBytes();
  read_to(200000);
  const int64_t late = ResidentBytes();
  EXPECT_LE(late, early + early / 100);
}

}  // namespace
}  // namespace anabranch
#endif
