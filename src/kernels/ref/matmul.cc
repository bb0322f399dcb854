#include <algorithm>
#include <cstddef>

#include "base/check.h"
#include "kernels/ref/dot.h"
#include "kernels/ref/ref.h"
#include "tensor/dequantize.h"

namespace anabranch::ref {
namespace {

int64_t TasksOf(const Weight& w) { return (int64_t{w.rows} + kRowsPerTask - 1) / kRowsPerTask; }

void DequantizeRows(const Weight& w, int64_t first, int64_t n, float* out) {
  const auto type = static_cast<GgufType>(w.format);
  const auto row_bytes = static_cast<size_t>(w.cols / GgufBlockSize(type) * GgufBlockBytes(type));
  const auto* src =
      reinterpret_cast<const std::byte*>(w.data.p) + static_cast<size_t>(first) * row_bytes;
  Dequantize(type, {src, static_cast<size_t>(n) * row_bytes},
             {out, static_cast<size_t>(n * w.cols)});
}

void CheckProduct(const Mat& x, const Weight& w, const Mat& out) {
  ANABRANCH_CHECK(x.cols == w.cols && out.rows == x.rows && out.cols == w.rows);
}

// false, with a fault, for an input beyond the limits that scratch was planned from.
bool WithinLimits(Exec& exec, const Mat& x) {
  if (x.rows <= exec.limits.max_rows && x.cols <= exec.limits.max_cols) return true;
  if (exec.fault == nullptr) exec.fault = "matmul: input larger than the limits of its Exec";
  return false;
}

}  // namespace

void Embed(Exec& exec, const Weight& w, DevPtr ids, float scale, Mat out) {
  ANABRANCH_CHECK(out.cols == w.cols);
  ParallelFor(exec, out.rows, [=](int64_t r, int) {
    const int32_t id = As<const int32_t>(ids)[r];
    ANABRANCH_CHECK(id >= 0 && id < w.rows);
    float* row = Row(out, r);
    DequantizeRows(w, id, 1, row);
    for (int32_t c = 0; c < out.cols; ++c) row[c] *= scale;
  });
}

void Matmul(Exec& exec, Mat x, List<const Weight> w, List<const DevPtr> bias, bool add,
            List<const Mat> out) {
  if (!WithinLimits(exec, x)) return;
  ANABRANCH_CHECK(out.n == w.n && (bias.data == nullptr || bias.n == w.n));
  int64_t n_tasks = 0;
  for (int64_t i = 0; i < w.n; ++i) {
    CheckProduct(x, w.data[i], out.data[i]);
    n_tasks += TasksOf(w.data[i]);
  }
  ParallelFor(exec, n_tasks, [=, &exec](int64_t task, int thread) {
    int64_t i = 0;
    for (; task >= TasksOf(w.data[i]); ++i) task -= TasksOf(w.data[i]);
    const Weight& weight = w.data[i];
    const float* b = bias.data == nullptr ? nullptr : As<const float>(bias.data[i]);
    const int64_t first = task * kRowsPerTask;
    const int64_t n = std::min<int64_t>(kRowsPerTask, weight.rows - first);
    float* rows = ThreadScratch(exec, thread);
    DequantizeRows(weight, first, n, rows);
    for (int64_t r = 0; r < x.rows; ++r) {
      float* y = Row(out.data[i], r) + first;
      for (int64_t j = 0; j < n; ++j) {
        const float product = Dot(Row(x, r), rows + j * x.cols, x.cols);
        y[j] = (add ? y[j] : 0.0f) + product + (b != nullptr ? b[first + j] : 0.0f);
      }
    }
  });
}

void Gated(Exec& exec, Mat x, const Weight& gate, const Weight& up, Activation activation,
           Mat out) {
  if (!WithinLimits(exec, x)) return;
  CheckProduct(x, gate, out);
  CheckProduct(x, up, out);
  ParallelFor(exec, TasksOf(gate), [=, &exec](int64_t task, int thread) {
    const int64_t first = task * kRowsPerTask;
    const int64_t n = std::min<int64_t>(kRowsPerTask, gate.rows - first);
    float* gate_rows = ThreadScratch(exec, thread);
    float* up_rows = gate_rows + kRowsPerTask * x.cols;
    DequantizeRows(gate, first, n, gate_rows);
    DequantizeRows(up, first, n, up_rows);
    for (int64_t r = 0; r < x.rows; ++r) {
      for (int64_t j = 0; j < n; ++j) {
        const float g = Dot(Row(x, r), gate_rows + j * x.cols, x.cols);
        const float u = Dot(Row(x, r), up_rows + j * x.cols, x.cols);
        Row(out, r)[first + j] = Activate(activation, g) * u;
      }
    }
  });
}

}  // namespace anabranch::ref
