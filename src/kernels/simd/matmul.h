// matmul and gated: tiles of weights times groups of rows, claimed in small tasks.
//
//            tiles of all weights of the call  ->
//   rows   | task 0      | task 1      | ...           a task: some tiles x kRowBlock rows;
//    |     | task k      | task k + 1  | ...           the rows of a task stay in the L2 cache,
//    v                                                 a tile in the L1 cache for all of them
#pragma once

#include "kernels/simd/tile.h"
#include "kernels/simd/vec_math.h"

namespace anabranch {
namespace {

constexpr int64_t kRowBlock = 64;
constexpr int64_t kTilesOfBlock = 8;    // tiles of a task with a full row block
constexpr int64_t kTasksPerThread = 8;  // of a decode step: fewer leave a thread idle at the end

struct TileGrid {
  int64_t n_tiles, tiles_per_task, tasks_per_row_block, n_tasks;
};

inline TileGrid MakeGrid(const Exec& exec, int64_t n_tiles, int64_t rows) {
  TileGrid grid{n_tiles, kTilesOfBlock, 0, 0};
  if (rows < kRowBlock) {
    const int64_t wanted = kTasksPerThread * Max(1, exec.limits.n_threads);
    grid.tiles_per_task = Max(1, n_tiles / wanted);
  }
  grid.tasks_per_row_block = CeilDiv(n_tiles, grid.tiles_per_task);
  grid.n_tasks = grid.tasks_per_row_block * CeilDiv(rows, kRowBlock);
  return grid;
}

// Calls body(tile, row, n_rows) for every tile and row group of a task.
template <typename Body>
inline void ForTask(const TileGrid& grid, int64_t task, int64_t rows, const Body& body) {
  const int64_t row_begin = task / grid.tasks_per_row_block * kRowBlock;
  const int64_t row_end = Min(rows, row_begin + kRowBlock);
  const int64_t first = task % grid.tasks_per_row_block * grid.tiles_per_task;
  const int64_t last = Min(grid.n_tiles, first + grid.tiles_per_task);
  for (int64_t tile = first; tile < last; ++tile) {
    for (int64_t row = row_begin; row < row_end; row += kRowGroup) {
      body(tile, row, Min(kRowGroup, row_end - row));
    }
  }
}

inline int64_t TilesOf(const Weight& w) { return CeilDiv(w.rows, kWidth); }

// x as the weights want it. false, with a fault: they want different things.
inline bool QuantizeFor(Exec& exec, const Mat& x, List<const Weight> w, QuantizedX* out) {
  bool bytes = false, wide = false;
  for (int64_t i = 0; i < w.n; ++i) {
    const int bits = FormatOf(TypeOf(w.data[i])).bits;
    wide = wide || bits == 16;
    bytes = bytes || bits == 4 || bits == 8;
  }
  if (wide && bytes) {
    if (exec.fault == nullptr) exec.fault = "a matmul of weights in 16 bits and in fewer";
    return false;
  }
  if (bytes) out->bytes = Quantize<XBlock>(exec, x);
  if (wide) out->wide = Quantize<WideBlock>(exec, x);
  return true;
}

struct MatmulJob {
  const Mat& x;
  QuantizedX quantized;
  List<const Weight> w;
  List<const DevPtr> bias;
  bool add;
  List<const Mat> out;
  TileGrid grid;
};

inline void StoreTile(const MatmulJob& job, int64_t i, int64_t tile, int64_t row, int64_t n_rows,
                      const float* product) {
  const int64_t col = tile * kWidth;
  const int64_t n_cols = Min(kWidth, job.w.data[i].rows - col);
  const bool has_bias = job.bias.data != nullptr && job.bias.data[i].p != nullptr;
  const float* bias = has_bias ? reinterpret_cast<const float*>(job.bias.data[i].p) + col : nullptr;
  const VecF bias_vec = has_bias ? LoadPartial(bias, n_cols) : Zero();
  for (int64_t r = 0; r < n_rows; ++r) {
    float* out = Row(job.out.data[i], row + r) + col;
    VecF v = Add(Load(product + r * kWidth), bias_vec);
    if (job.add) v = Add(v, LoadPartial(out, n_cols));
    StorePartial(out, n_cols, v);
  }
}

inline void MatmulTask(const MatmulJob& job, int64_t task, int) {
  ForTask(job.grid, task, job.x.rows, [&](int64_t tile, int64_t row, int64_t n_rows) {
    int64_t i = 0;
    for (; tile >= TilesOf(job.w.data[i]); ++i) tile -= TilesOf(job.w.data[i]);
    alignas(64) float product[kRowGroup * kWidth];
    TileTimesRows(job.w.data[i], tile, job.x, job.quantized, row, n_rows, product);
    StoreTile(job, i, tile, row, n_rows, product);
  });
}

inline void Matmul(Exec& exec, Mat x, List<const Weight> w, List<const DevPtr> bias, bool add,
                   List<const Mat> out) {
  if (!WithinLimits(exec, FitsScratch(exec.limits, x))) return;
  int64_t n_tiles = 0;
  for (int64_t i = 0; i < w.n; ++i) n_tiles += TilesOf(w.data[i]);
  QuantizedX quantized;
  if (!QuantizeFor(exec, x, w, &quantized)) return;
  const MatmulJob job{x, quantized, w, bias, add, out, MakeGrid(exec, n_tiles, x.rows)};
  Parallel<MatmulJob, MatmulTask>(exec, job, job.grid.n_tasks);
}

struct GatedJob {
  const Mat& x;
  QuantizedX quantized;
  const Weight& gate;
  const Weight& up;
  Activation activation;
  const Mat& out;
  TileGrid grid;
};

inline void GatedTask(const GatedJob& job, int64_t task, int) {
  ForTask(job.grid, task, job.x.rows, [&](int64_t tile, int64_t row, int64_t n_rows) {
    alignas(64) float gate[kRowGroup * kWidth];
    alignas(64) float up[kRowGroup * kWidth];
    TileTimesRows(job.gate, tile, job.x, job.quantized, row, n_rows, gate);
    TileTimesRows(job.up, tile, job.x, job.quantized, row, n_rows, up);
    const int64_t n_cols = Min(kWidth, job.gate.rows - tile * kWidth);
    for (int64_t r = 0; r < n_rows; ++r) {
      const VecF v = Mul(Activate(job.activation, Load(gate + r * kWidth)), Load(up + r * kWidth));
      StorePartial(Row(job.out, row + r) + tile * kWidth, n_cols, v);
    }
  });
}

inline void Gated(Exec& exec, Mat x, const Weight& gate, const Weight& up, Activation activation,
                  Mat out) {
  if (!WithinLimits(exec, FitsScratch(exec.limits, x))) return;
  const Weight both[2] = {gate, up};
  QuantizedX quantized;
  if (!QuantizeFor(exec, x, {both, 2}, &quantized)) return;
  const GatedJob job{
      x, quantized, gate, up, activation, out, MakeGrid(exec, TilesOf(gate), x.rows)};
  Parallel<GatedJob, GatedTask>(exec, job, job.grid.n_tasks);
}

}  // namespace
}  // namespace anabranch
