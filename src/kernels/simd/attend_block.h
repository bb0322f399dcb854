// A few queries over one block of keys: the inner loops of attend (online softmax, as in
// flash-attention).
//
//   keys, transposed:  | element 0: key 0, key 1, ... key 31 | element 1: key 0, ... | ...
//   values:            | key 0: element 0, 1, ... | key 1: ... | ...
//
// Scores of a block come out with keys in lanes, ready for the softmax; outputs with elements in
// lanes. Both products broadcast the query's side.
#pragma once

#include "kernels/simd/scratch.h"
#include "kernels/simd/vec_math.h"

namespace anabranch {
namespace {

struct KeyBlock {
  const float* keys;    // [head_dim, kKeys]
  const float* values;  // [kKeys, width]
  int64_t head_dim, width;
  float softcap;
};

// scores[q * kKeys + key] of all keys of the block.
template <int kQ>
inline void Scores(const KeyBlock& block, const float* queries, float* scores) {
  for (int64_t k = 0; k < kKeys; k += 2 * kWidth) {
    VecF acc[kQ][2];
    for (int q = 0; q < kQ; ++q) acc[q][0] = acc[q][1] = Zero();
    for (int64_t d = 0; d < block.head_dim; ++d) {
      const VecF k0 = Held(Load(block.keys + d * kKeys + k));
      const VecF k1 = Held(Load(block.keys + d * kKeys + k + kWidth));
      for (int q = 0; q < kQ; ++q) {
        const VecF x = Set1(queries[q * block.width + d]);
        acc[q][0] = Fma(x, k0, acc[q][0]);
        acc[q][1] = Fma(x, k1, acc[q][1]);
      }
    }
    for (int q = 0; q < kQ; ++q) {
      Store(scores + q * kKeys + k, acc[q][0]);
      Store(scores + q * kKeys + k + kWidth, acc[q][1]);
    }
  }
}

// Scores of the visible keys [lo, hi) to weights, 0 for the others; updates max and sum. The factor
// by which earlier outputs shrink.
inline float Softmax(const KeyBlock& block, int64_t lo, int64_t hi, float* scores, float* max,
                     float* sum) {
  VecF top = Set1(-INFINITY);
  for (int64_t k = 0; k < kKeys; k += kWidth) {
    VecF s = Load(scores + k);
    if (block.softcap > 0) {
      s = Mul(Set1(block.softcap), Tanh(Div(s, Set1(block.softcap))));
    }
    s = KeepRange(s, lo - k, hi - k, -INFINITY);
    Store(scores + k, s);
    top = Max(top, s);
  }
  const float old_max = *max, block_max = MaxOf(top);
  const float new_max = block_max > old_max ? block_max : old_max;
  const float factor = new_max > old_max ? expf(old_max - new_max) : 1.0f;
  VecF total = Zero();
  for (int64_t k = 0; k < kKeys; k += kWidth) {
    const VecF p = Exp(Sub(Load(scores + k), Set1(new_max)));
    Store(scores + k, p);
    total = Add(total, p);
  }
  *max = new_max;
  *sum = *sum * factor + Sum(total);
  return factor;
}

// out = factor * out + weights . values of keys [lo, hi), for kVecs vectors of elements.
template <int kQ, int kVecs>
inline void AddValues(const KeyBlock& block, int64_t element, int64_t lo, int64_t hi,
                      const float* weights, const float* factors, float* out) {
  VecF acc[kQ][kVecs];
  for (int q = 0; q < kQ; ++q) {
    for (int i = 0; i < kVecs; ++i) {
      acc[q][i] = Mul(Set1(factors[q]), Load(out + q * block.width + element + i * kWidth));
    }
  }
  for (int64_t k = lo; k < hi; ++k) {
    VecF v[kVecs];
    for (int i = 0; i < kVecs; ++i) {
      v[i] = Held(Load(block.values + k * block.width + element + i * kWidth));
    }
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

// kQ queries of one row, which sees keys [lo, hi) of the block, not none.
template <int kQ>
inline void AttendBlock(const KeyBlock& block, int64_t lo, int64_t hi, const float* queries,
                        const States& states) {
  alignas(64) float scores[kQ * kKeys];
  float factors[kQ];
  Scores<kQ>(block, queries, scores);
  for (int q = 0; q < kQ; ++q) {
    factors[q] = Softmax(block, lo, hi, scores + q * kKeys, states.max + q, states.sum + q);
  }
  int64_t element = 0;
  for (; element + kDimVecs * kWidth <= block.width; element += kDimVecs * kWidth) {
    AddValues<kQ, kDimVecs>(block, element, lo, hi, scores, factors, states.out);
  }
  for (; element < block.width; element += kWidth) {
    AddValues<kQ, 1>(block, element, lo, hi, scores, factors, states.out);
  }
}

// n queries of one row.
inline void AttendRow(const KeyBlock& block, int64_t lo, int64_t hi, int64_t n,
                      const float* queries, const States& states) {
  for (int64_t q = 0; q < n; q += 4) {
    const float* from = queries + q * block.width;
    const States to{states.out + q * block.width, states.max + q, states.sum + q};
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
