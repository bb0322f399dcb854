#include "model/llama_weights.h"

#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "model/weights.h"

namespace anabranch {
namespace {

Result<Rope> LoadRope(const ModelConfig& config, GgufWeights& file, DeviceMemory& memory) {
  const std::string name = "rope_freqs.weight";
  std::vector<float> freq_factors;
  if (file.Has(name)) {
    ASSIGN_OR_RETURN(freq_factors, file.Floats(name, config.rope.n_rot / 2));
    for (float factor : freq_factors) {
      if (std::isfinite(factor) && factor > 0) continue;
      return Fail(ErrorKind::kCorrupt, "tensor '" + name + "'",
                  "divides a frequency by " + std::to_string(factor));
    }
  }
  const std::vector<uint64_t> increments = RopeIncrements(config.rope, freq_factors);
  CpuExec& exec = memory.exec();
  ASSIGN_OR_RETURN(const DevPtr inc, memory.Alloc(increments.size() * sizeof(uint64_t), name));
  exec.table().upload(exec.exec(), inc, BytesOf(std::span(increments)));
  return Rope{.inc = inc, .rot_dim = config.rope.n_rot, .interleaved = true, .mscale = 1.0f};
}

Result<LlamaLayer> LoadLayer(const ModelConfig& c, GgufWeights& file, int32_t index) {
  const std::string blk = "blk." + std::to_string(index) + ".";
  const int32_t q_width = c.n_heads * c.head_dim, kv_width = c.n_kv_heads * c.head_dim;
  LlamaLayer w;
  ASSIGN_OR_RETURN(w.attn_norm, file.Vector(blk + "attn_norm.weight", c.n_embd));
  ASSIGN_OR_RETURN(w.qkv[0], file.Matrix(blk + "attn_q.weight", q_width, c.n_embd));
  ASSIGN_OR_RETURN(w.qkv[1], file.Matrix(blk + "attn_k.weight", kv_width, c.n_embd));
  ASSIGN_OR_RETURN(w.qkv[2], file.Matrix(blk + "attn_v.weight", kv_width, c.n_embd));
  ASSIGN_OR_RETURN(w.qkv_bias[0], file.OptionalVector(blk + "attn_q.bias", q_width));
  ASSIGN_OR_RETURN(w.qkv_bias[1], file.OptionalVector(blk + "attn_k.bias", kv_width));
  ASSIGN_OR_RETURN(w.qkv_bias[2], file.OptionalVector(blk + "attn_v.bias", kv_width));
  ASSIGN_OR_RETURN(w.attn_output, file.Matrix(blk + "attn_output.weight", c.n_embd, q_width));
  ASSIGN_OR_RETURN(w.attn_output_bias, file.OptionalVector(blk + "attn_output.bias", c.n_embd));
  ASSIGN_OR_RETURN(w.ffn_norm, file.Vector(blk + "ffn_norm.weight", c.n_embd));
  ASSIGN_OR_RETURN(w.gate, file.Matrix(blk + "ffn_gate.weight", c.n_ff, c.n_embd));
  ASSIGN_OR_RETURN(w.up, file.Matrix(blk + "ffn_up.weight", c.n_ff, c.n_embd));
  ASSIGN_OR_RETURN(w.down, file.Matrix(blk + "ffn_down.weight", c.n_embd, c.n_ff));
  return w;
}

}  // namespace

Result<LlamaWeights> LoadLlamaWeights(const GgufFile& gguf, const ModelConfig& c,
                                      DeviceMemory& memory) {
  GgufWeights file(gguf, memory);
  LlamaWeights w;
  ASSIGN_OR_RETURN(w.embedding, file.Matrix("token_embd.weight", c.n_vocab, c.n_embd));
  for (int32_t l = 0; l < c.n_layers; ++l) {
    ASSIGN_OR_RETURN(const LlamaLayer layer, LoadLayer(c, file, l));
    w.layers.push_back(layer);
  }
  ASSIGN_OR_RETURN(w.output_norm, file.Vector("output_norm.weight", c.n_embd));
  w.head = w.embedding;
  if (file.Has("output.weight")) {
    ASSIGN_OR_RETURN(w.head, file.Matrix("output.weight", c.n_vocab, c.n_embd));
  }
  ASSIGN_OR_RETURN(w.rope, LoadRope(c, file, memory));
  RETURN_IF_ERROR(file.CheckAllTaken());
  return w;
}

}  // namespace anabranch
