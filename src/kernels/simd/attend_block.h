// A few queries over one block of keys: the inner loops of attend (online softmax, as in
// flash-attention).
//
//   for many rows, in F32:
//     keys, transposed:  | element 0: key 0, key 1, ... key 31 | element 1: key 0, ... | ...
//     values:            | key 0: element 0, 1, ... | key 1: ... | ...
//   for few, as they lie in the arena: both as those values
//
// Scores of a block come out with keys in lanes, ready for the softmax: keys that are transposed
// are multiplied by one element of a query in all lanes; of those that are not, kWidth products are
// summed up at once. Outputs come with elements in lanes.
#pragma once

#include "kernels/simd/kv_arena.h"
#include "kernels/simd/vec_math.h"

namespace anabranch {
namespace {

// Converted: worth it for several rows.
struct KeyBlock {
  const float* keys;    // [head_dim, kKeys]
  const float* values;  // [kKeys, width]
  int64_t head_dim, width;
  float softcap;

  VecF Value(int64_t key, int64_t element) const {
    return Held(Load(values + key * width + element));
  }
};

// As they lie in the arena; heads of whole vectors alone.
template <DType kDType>
struct StoredKeys {
  const unsigned char* keys;  // of n slots
  const unsigned char* values;
  int64_t n, head_dim, width;
  float softcap;

  VecF Key(int64_t key, int64_t element) const { return At(keys, key, element); }
  VecF Value(int64_t key, int64_t element) const { return At(values, key, element); }

 private:
  VecF At(const unsigned char* slots, int64_t key, int64_t element) const {
    const unsigned char* row = slots + key * RowBytes(kDType, head_dim);
    ReadAhead(row + RowBytes(kDType, element));
    return LoadElements<kDType>(row, element);
  }
};

// scores[q * kKeys + key] of all keys of the block.
template <int kQ>
inline void Scores(const KeyBlock& block, const float* queries, float* scores) {
  // Even and odd elements apart: both multipliers take 4 cycles, and wait where sums are few.
  for (int64_t k = 0; k < kKeys; k += 2 * kWidth) {
    VecF even[kQ][2] = {}, odd[kQ][2] = {};
    const auto add = [&](int64_t d, VecF(&acc)[kQ][2]) {
      const VecF k0 = Held(Load(block.keys + d * kKeys + k));
      const VecF k1 = Held(Load(block.keys + d * kKeys + k + kWidth));
      for (int q = 0; q < kQ; ++q) {
        const VecF x = Set1(queries[q * block.width + d]);
        acc[q][0] = Fma(x, k0, acc[q][0]);
        acc[q][1] = Fma(x, k1, acc[q][1]);
      }
    };
    int64_t d = 0;
    for (; d + 1 < block.head_dim; d += 2) {
      add(d, even);
      add(d + 1, odd);
    }
    if (d < block.head_dim) add(d, even);
    for (int q = 0; q < kQ; ++q) {
      Store(scores + q * kKeys + k, Add(even[q][0], odd[q][0]));
      Store(scores + q * kKeys + k + kWidth, Add(even[q][1], odd[q][1]));
    }
  }
}

template <int kQ, DType kDType>
inline void Scores(const StoredKeys<kDType>& block, const float* queries, float* scores) {
  for (int64_t k = 0; k < kKeys; k += kWidth) {
    VecF products[kQ][kWidth];
    for (int64_t i = 0; i < kWidth; ++i) {
      const int64_t key = Min(k + i, block.n - 1);  // lanes past the end repeat the last key
      VecF acc[kQ];
      for (int q = 0; q < kQ; ++q) acc[q] = Zero();
      for (int64_t d = 0; d < block.head_dim; d += kWidth) {
        const VecF elements = block.Key(key, d);
        for (int q = 0; q < kQ; ++q) {
          acc[q] = Fma(elements, Load(queries + q * block.width + d), acc[q]);
        }
      }
      for (int q = 0; q < kQ; ++q) products[q][i] = acc[q];
    }
    for (int q = 0; q < kQ; ++q) Store(scores + q * kKeys + k, SumEach(products[q]));
  }
}

// A maximum is followed only when scores rise this far above it: weights of exp(8) are as exact as
// those of 1, and outputs need no new scale in most blocks.
constexpr float kMaxRise = 8.0f;

// Scores of the visible keys [lo, hi) to weights, not of the others; updates max and sum[kWidth] of
// each query. factors: by which earlier outputs shrink.
template <int kQ>
inline void Softmax(float softcap, int64_t lo, int64_t hi, float* scores, const States& states,
                    float* factors) {
  const bool all = lo == 0 && hi == kKeys && softcap == 0;
  const int64_t begin = lo / kWidth * kWidth;
  for (int q = 0; q < kQ; ++q) {
    float* of_query = scores + q * kKeys;
    VecF top = Set1(-INFINITY);
    for (int64_t k = begin; k < hi; k += kWidth) {
      VecF s = Load(of_query + k);
      if (!all) {
        if (softcap > 0) s = Mul(Set1(softcap), Tanh(Div(s, Set1(softcap))));
        s = KeepRange(s, lo - k, hi - k, -INFINITY);
        Store(of_query + k, s);
      }
      top = Max(top, s);
    }
    factors[q] = 1.0f;
    if (AnyAbove(top, states.max[q] + kMaxRise)) {
      const float new_max = MaxOf(top);
      factors[q] = expf(states.max[q] - new_max);
      states.max[q] = new_max;
    }
  }
  for (int q = 0; q < kQ; ++q) {
    float* of_query = scores + q * kKeys;
    VecF sum = Mul(Load(states.sum + q * kWidth), Set1(factors[q]));
    for (int64_t k = begin; k < hi; k += kWidth) {
      const VecF p = Exp(Sub(Load(of_query + k), Set1(states.max[q])));
      Store(of_query + k, p);
      sum = Add(sum, p);
    }
    Store(states.sum + q * kWidth, sum);
  }
}

// out = factor * out + weights . values of keys [lo, hi), for kVecs vectors of elements.
template <int kQ, int kVecs, typename Block>
inline void AddValues(const Block& block, int64_t element, int64_t lo, int64_t hi,
                      const float* weights, const float* factors, float* out) {
  VecF acc[kQ][kVecs];
  for (int q = 0; q < kQ; ++q) {
    for (int i = 0; i < kVecs; ++i) {
      acc[q][i] = Mul(Set1(factors[q]), Load(out + q * block.width + element + i * kWidth));
    }
  }
  for (int64_t k = lo; k < hi; ++k) {
    VecF v[kVecs];
    for (int i = 0; i < kVecs; ++i) v[i] = block.Value(k, element + i * kWidth);
    for (int q = 0; q < kQ; ++q) {
      const VecF w = Set1(weights[q * kKeys + k]);
      for (int i = 0; i < kVecs; ++i) acc[q][i] = Fma(w, v[i], acc[q][i]);
    }
  }
  for (int q = 0; q < kQ; ++q) {
    for (int i = 0; i < kVecs; ++i) {
      Store(out + q * block.width + element + i * kWidth, acc[q][i]);
    }
  }
}

// kQ queries, which see keys [lo, hi) of the block, not none.
template <int kQ, typename Block>
inline void AttendBlock(const Block& block, int64_t lo, int64_t hi, const float* queries,
                        const States& states) {
  alignas(64) float scores[kQ * kKeys];
  float factors[kQ];
  Scores<kQ>(block, queries, scores);
  Softmax<kQ>(block.softcap, lo, hi, scores, states, factors);
  int64_t element = 0;
  for (; element + kDimVecs * kWidth <= block.width; element += kDimVecs * kWidth) {
    AddValues<kQ, kDimVecs>(block, element, lo, hi, scores, factors, states.out);
  }
  for (; element < block.width; element += kWidth) {
    AddValues<kQ, 1>(block, element, lo, hi, scores, factors, states.out);
  }
}

// n queries that see the same keys.
template <typename Block>
inline void AttendQueries(const Block& block, int64_t lo, int64_t hi, int64_t n,
                          const float* queries, const States& states) {
  for (int64_t q = 0; q < n; q += 4) {
    const float* from = queries + q * block.width;
    const States to{states.out + q * block.width, states.max + q, states.sum + q * kWidth};
    switch (n - q) {
      case 1:
        AttendBlock<1>(block, lo, hi, from, to);
        break;
      case 2:
        AttendBlock<2>(block, lo, hi, from, to);
        break;
      case 3:
        AttendBlock<3>(block, lo, hi, from, to);
        break;
      default:
        AttendBlock<4>(block, lo, hi, from, to);
    }
  }
}

}  // namespace
}  // namespace anabranch
