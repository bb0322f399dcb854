// Ops on single rows of activations: norms, activations, and the scan of vectors.
#pragma once

#include "kernels/simd/vec_math.h"

namespace anabranch {
namespace {

constexpr int64_t kRowsOfTask = 8;  // a row alone is less work than waking a thread for it

// Calls body(row) for the rows of a task.
template <typename Body>
inline void ForRows(int64_t task, int64_t rows_of_task, int64_t rows, const Body& body) {
  const int64_t end = Min(rows, (task + 1) * rows_of_task);
  for (int64_t r = task * rows_of_task; r < end; ++r) body(r);
}

// Calls body(column, n) for each vector of a row; n < kWidth for the last one of an odd row.
template <typename Body>
inline void ForColumns(int64_t cols, const Body& body) {
  for (int64_t c = 0; c < cols; c += kWidth) body(c, Min(kWidth, cols - c));
}

struct NormJob {
  const Mat& x;
  const float* gain;
  const float* bias;
  float eps;
  const Mat& out;
};

inline void RmsNormTask(const NormJob& job, int64_t task, int) {
  ForRows(task, kRowsOfTask, job.x.rows, [&](int64_t r) {
    const float* x = Row(job.x, r);
    float* out = Row(job.out, r);
    VecF squares = Zero();
    ForColumns(job.x.cols, [&](int64_t c, int64_t n) {
      const VecF v = LoadPartial(x + c, n);
      squares = Fma(v, v, squares);
    });
    const float mean = Sum(squares) / static_cast<float>(job.x.cols);
    const VecF scale = Set1(1.0f / sqrtf(mean + job.eps));
    ForColumns(job.x.cols, [&](int64_t c, int64_t n) {
      const VecF v = Mul(Mul(LoadPartial(x + c, n), scale), LoadPartial(job.gain + c, n));
      StorePartial(out + c, n, v);
    });
  });
}

inline void RmsNorm(Exec& exec, Mat x, DevPtr gain, float eps, Mat out) {
  const NormJob job{x, reinterpret_cast<const float*>(gain.p), nullptr, eps, out};
  Parallel<NormJob, RmsNormTask>(exec, job, CeilDiv(x.rows, kRowsOfTask));
}

inline void LayerNormTask(const NormJob& job, int64_t task, int) {
  ForRows(task, kRowsOfTask, job.x.rows, [&](int64_t r) {
    const float* x = Row(job.x, r);
    float* out = Row(job.out, r);
    const float inverse_n = 1.0f / static_cast<float>(job.x.cols);
    VecF sum = Zero();
    ForColumns(job.x.cols, [&](int64_t c, int64_t n) { sum = Add(sum, LoadPartial(x + c, n)); });
    const float mean = Sum(sum) * inverse_n;
    VecF squares = Zero();
    ForColumns(job.x.cols, [&](int64_t c, int64_t n) {
      const VecF v = KeepRange(Sub(LoadPartial(x + c, n), Set1(mean)), 0, n, 0.0f);
      squares = Fma(v, v, squares);
    });
    const VecF scale = Set1(1.0f / sqrtf(Sum(squares) * inverse_n + job.eps));
    ForColumns(job.x.cols, [&](int64_t c, int64_t n) {
      const VecF v = Mul(Sub(LoadPartial(x + c, n), Set1(mean)), scale);
      StorePartial(out + c, n, Fma(v, LoadPartial(job.gain + c, n), LoadPartial(job.bias + c, n)));
    });
  });
}

inline void LayerNorm(Exec& exec, Mat x, DevPtr gain, DevPtr bias, float eps, Mat out) {
  const NormJob job{x, reinterpret_cast<const float*>(gain.p),
                    reinterpret_cast<const float*>(bias.p), eps, out};
  Parallel<NormJob, LayerNormTask>(exec, job, CeilDiv(x.rows, kRowsOfTask));
}

struct ActivateJob {
  const Mat& x;
  Activation activation;
};

inline void ActivateTask(const ActivateJob& job, int64_t task, int) {
  ForRows(task, kRowsOfTask, job.x.rows, [&](int64_t r) {
    float* x = Row(job.x, r);
    ForColumns(job.x.cols, [&](int64_t c, int64_t n) {
      StorePartial(x + c, n, Activate(job.activation, LoadPartial(x + c, n)));
    });
  });
}

inline void ActivateInPlace(Exec& exec, Mat x, Activation activation) {
  const ActivateJob job{x, activation};
  Parallel<ActivateJob, ActivateTask>(exec, job, CeilDiv(x.rows, kRowsOfTask));
}

struct ScanJob {
  const Mat& vectors;
  const float* query;
  float* scores;
};

constexpr int64_t kVectorsOfTask = 256;

inline void ScanTask(const ScanJob& job, int64_t task, int) {
  ForRows(task, kVectorsOfTask, job.vectors.rows, [&](int64_t r) {
    const float* x = Row(job.vectors, r);
    const int64_t cols = job.vectors.cols;
    VecF sums[4] = {Zero(), Zero(), Zero(), Zero()};
    int64_t c = 0;
    for (; c + 4 * kWidth <= cols; c += 4 * kWidth) {
      for (int i = 0; i < 4; ++i) {
        sums[i] = Fma(Load(x + c + i * kWidth), Load(job.query + c + i * kWidth), sums[i]);
      }
    }
    for (; c < cols; c += kWidth) {
      const int64_t n = Min(kWidth, cols - c);
      sums[0] = Fma(LoadPartial(x + c, n), LoadPartial(job.query + c, n), sums[0]);
    }
    job.scores[r] = Sum(Add(Add(sums[0], sums[1]), Add(sums[2], sums[3])));
  });
}

inline void Scan(Exec& exec, Mat vectors, Mat query, Mat scores) {
  const ScanJob job{vectors, Row(query, 0), Row(scores, 0)};
  Parallel<ScanJob, ScanTask>(exec, job, CeilDiv(vectors.rows, kVectorsOfTask));
}

}  // namespace
}  // namespace anabranch
