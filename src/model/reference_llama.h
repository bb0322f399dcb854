// For tests: the llama architecture in f64, written from its papers, over a masked attention matrix
// of all rows that were ever computed. Keys are rotated anew for each row that sees them, at their
// places in that row's list (StreamingLLM's positions inside the cache).
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "io/gguf.h"
#include "kv/list_context.h"
#include "tensor/dequantize.h"

namespace anabranch {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

// kInt8: each 32 activations that meet a matrix are rounded to a multiple of their largest / 127.
enum class Activations { kExact, kInt8 };

class ReferenceLlama {
 public:
  explicit ReferenceLlama(const GgufFile& gguf, Activations activations = Activations::kExact)
      : gguf_(gguf), activations_(activations) {
    n_layers_ = Key("block_count");
    n_heads_ = static_cast<size_t>(Key("attention.head_count"));
    n_kv_heads_ = static_cast<size_t>(Key("attention.head_count_kv"));
    head_dim_ = static_cast<size_t>(Key("attention.key_length"));
    eps_ = *gguf.Float("llama.attention.layer_norm_rms_epsilon");
    theta_ = *gguf.Float("llama.rope.freq_base");
  }

  // Logits of every row. seen[r]: the rows that row r attends to, in virtual order; the last is r.
  Matrix Logits(const std::vector<int32_t>& tokens,
                const std::vector<std::vector<ListEntry>>& seen) const {
    Matrix x;
    const Matrix embedding = Read("token_embd.weight");
    for (int32_t token : tokens) x.push_back(embedding[static_cast<size_t>(token)]);
    for (int64_t layer = 0; layer < n_layers_; ++layer) {
      const std::string blk = "blk." + std::to_string(layer) + ".";
      const Matrix h = Norm(x, blk + "attn_norm.weight");
      const Matrix attended =
          Attend(Times(h, blk + "attn_q.weight"), Times(h, blk + "attn_k.weight"),
                 Times(h, blk + "attn_v.weight"), seen);
      Add(&x, Times(attended, blk + "attn_output.weight"));
      const Matrix h2 = Norm(x, blk + "ffn_norm.weight");
      Matrix gate = Times(h2, blk + "ffn_gate.weight");
      const Matrix up = Times(h2, blk + "ffn_up.weight");
      for (size_t r = 0; r < gate.size(); ++r) {
        for (size_t c = 0; c < gate[r].size(); ++c) {
          gate[r][c] = gate[r][c] / (1 + std::exp(-gate[r][c])) * up[r][c];
        }
      }
      Add(&x, Times(gate, blk + "ffn_down.weight"));
    }
    const bool tied = !gguf_.Tensor("output.weight").has_value();
    return Times(Norm(x, "output_norm.weight"), tied ? "token_embd.weight" : "output.weight");
  }

 private:
  int64_t Key(const std::string& key) const { return *gguf_.Int("llama." + key); }

  Matrix Read(const std::string& name) const {
    const GgufTensor& tensor = **gguf_.Tensor(name);
    std::vector<float> values(static_cast<size_t>(tensor.rows() * tensor.cols()));
    Dequantize(tensor.type, tensor.data, values);
    Matrix matrix;
    for (auto at = values.begin(); at != values.end(); at += tensor.cols()) {
      matrix.emplace_back(at, at + tensor.cols());
    }
    return matrix;
  }

  Matrix Times(Matrix x, const std::string& name) const {
    const Matrix weight = Read(name);
    if (activations_ == Activations::kInt8) RoundToInt8(&x);
    Matrix out(x.size(), Vector(weight.size()));
    for (size_t r = 0; r < x.size(); ++r) {
      for (size_t o = 0; o < weight.size(); ++o) {
        for (size_t c = 0; c < x[r].size(); ++c) out[r][o] += x[r][c] * weight[o][c];
      }
    }
    return out;
  }

  static void RoundToInt8(Matrix* x) {
    for (Vector& row : *x) {
      for (auto block = row.begin(); block != row.end(); block += 32) {
        double largest = 0;
        for (auto at = block; at != block + 32; ++at) largest = std::max(largest, std::abs(*at));
        const double step = largest > 0 ? largest / 127 : 1;
        for (auto at = block; at != block + 32; ++at) *at = std::round(*at / step) * step;
      }
    }
  }

  Matrix Norm(Matrix x, const std::string& name) const {
    const Vector gain = Read(name)[0];
    for (Vector& row : x) {
      double squares = 0;
      for (double value : row) squares += value * value;
      const double length = std::sqrt(squares / static_cast<double>(row.size()) + eps_);
      for (size_t c = 0; c < row.size(); ++c) row[c] = row[c] / length * gain[c];
    }
    return x;
  }

  static void Add(Matrix* x, const Matrix& y) {
    for (size_t r = 0; r < y.size(); ++r) {
      for (size_t c = 0; c < y[r].size(); ++c) (*x)[r][c] += y[r][c];
    }
  }

  // One head of a row, rotated at a virtual position: pairs (2j, 2j + 1).
  Vector Rotate(const Vector& row, size_t head, size_t position) const {
    Vector out(head_dim_);
    for (size_t c = 0; c < head_dim_; c += 2) {
      const double frequency =
          std::pow(theta_, -static_cast<double>(c) / static_cast<double>(head_dim_));
      const double angle = static_cast<double>(position) * frequency;
      const double a = row[head * head_dim_ + c], b = row[head * head_dim_ + c + 1];
      out[c] = a * std::cos(angle) - b * std::sin(angle);
      out[c + 1] = a * std::sin(angle) + b * std::cos(angle);
    }
    return out;
  }

  Matrix Attend(const Matrix& q, const Matrix& k, const Matrix& v,
                const std::vector<std::vector<ListEntry>>& seen) const {
    Matrix out(q.size(), Vector(n_heads_ * head_dim_));
    for (size_t r = 0; r < q.size(); ++r) {
      for (size_t head = 0; head < n_heads_; ++head) {
        const size_t kv_head = head / (n_heads_ / n_kv_heads_);
        const Vector query = Rotate(q[r], head, seen[r].size() - 1);
        Vector weight(seen[r].size());
        double sum = 0;
        for (size_t i = 0; i < seen[r].size(); ++i) {
          const Vector key = Rotate(k[static_cast<size_t>(seen[r][i].row)], kv_head, i);
          double score = 0;
          for (size_t c = 0; c < head_dim_; ++c) score += query[c] * key[c];
          weight[i] = std::exp(score / std::sqrt(static_cast<double>(head_dim_)));
          sum += weight[i];
        }
        for (size_t i = 0; i < seen[r].size(); ++i) {
          const Vector& value = v[static_cast<size_t>(seen[r][i].row)];
          for (size_t c = 0; c < head_dim_; ++c) {
            out[r][head * head_dim_ + c] += weight[i] / sum * value[kv_head * head_dim_ + c];
          }
        }
      }
    }
    return out;
  }

  const GgufFile& gguf_;
  Activations activations_;
  int64_t n_layers_;
  size_t n_heads_, n_kv_heads_, head_dim_;
  double eps_, theta_;
};

}  // namespace anabranch
