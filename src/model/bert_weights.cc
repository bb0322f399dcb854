#include "model/bert_weights.h"

#include "io/file_kind.h"
#include "model/weights.h"
#include "tensor/dequantize.h"

namespace anabranch {
namespace {

GgufType TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return GgufType::kF16;
    case DType::kBF16:
      return GgufType::kBF16;
    case DType::kF32:
    case DType::kQ8:
      break;
  }
  return GgufType::kF32;
}

class BertReader {
 public:
  BertReader(const SafetensorsFile& file, DeviceMemory& memory) : file_(file), memory_(memory) {
    const std::string bert = "bert.";
    if (file.Tensor(bert + "embeddings.word_embeddings.weight")) prefix_ = bert;
  }

  Result<const SafeTensor*> Tensor(const std::string& name,
                                   const std::vector<int64_t>& shape) const {
    ASSIGN_OR_RETURN(const SafeTensor* tensor, file_.Tensor(prefix_ + name));
    if (tensor->shape != shape) {
      return Fail(
          ErrorKind::kInvalid, What(name),
          "has shape " + ShapeText(tensor->shape) + ", but config.json wants " + ShapeText(shape));
    }
    if (!tensor->dtype) {
      return Fail(ErrorKind::kUnsupported, What(name),
                  "has type " + QuoteName(tensor->dtype_name) + ", not F32, F16 or BF16");
    }
    return tensor;
  }
  Result<std::vector<float>> Floats(const std::string& name,
                                    const std::vector<int64_t>& shape) const {
    ASSIGN_OR_RETURN(const SafeTensor* tensor, Tensor(name, shape));
    const auto bytes = static_cast<size_t>(DTypeBytes(*tensor->dtype, 1));
    std::vector<float> values(tensor->data.size() / bytes);
    Dequantize(TypeOf(*tensor->dtype), tensor->data, values);
    return values;
  }
  Result<DevPtr> Vector(const std::string& name, int32_t n) const {
    ASSIGN_OR_RETURN(const std::vector<float> values, Floats(name, {n}));
    return UploadFloats(memory_, values, What(name));
  }
  Result<Linear> ReadLinear(const std::string& name, int32_t rows, int32_t cols) const {
    const std::string weight = name + ".weight";
    ASSIGN_OR_RETURN(const SafeTensor* tensor, Tensor(weight, {rows, cols}));
    Linear linear;
    ASSIGN_OR_RETURN(linear.weight, PackWeight(memory_, tensor->data, TypeOf(*tensor->dtype), rows,
                                               cols, What(weight), FloatWeights::kInt16));
    ASSIGN_OR_RETURN(linear.bias, Vector(name + ".bias", rows));
    return linear;
  }
  Result<LayerNorm> ReadNorm(const std::string& name, int32_t width) const {
    LayerNorm norm;
    ASSIGN_OR_RETURN(norm.gain, Vector(name + ".weight", width));
    ASSIGN_OR_RETURN(norm.bias, Vector(name + ".bias", width));
    return norm;
  }

 private:
  std::string What(const std::string& name) const {
    return file_.path() + ": tensor " + QuoteName(prefix_ + name);
  }

  const SafetensorsFile& file_;
  DeviceMemory& memory_;
  std::string prefix_;
};

Result<BertLayer> ReadLayer(const BertReader& read, const EmbedderConfig& c, int32_t index) {
  const std::string layer = "encoder.layer." + std::to_string(index) + ".";
  const char* const qkv[3] = {"query", "key", "value"};
  BertLayer w;
  for (int i = 0; i < 3; ++i) {
    ASSIGN_OR_RETURN(const Linear linear,
                     read.ReadLinear(layer + "attention.self." + qkv[i], c.width, c.width));
    w.qkv[i] = linear.weight;
    w.qkv_bias[i] = linear.bias;
  }
  ASSIGN_OR_RETURN(w.attn_output,
                   read.ReadLinear(layer + "attention.output.dense", c.width, c.width));
  ASSIGN_OR_RETURN(w.attn_norm, read.ReadNorm(layer + "attention.output.LayerNorm", c.width));
  ASSIGN_OR_RETURN(w.intermediate, read.ReadLinear(layer + "intermediate.dense", c.n_ff, c.width));
  ASSIGN_OR_RETURN(w.output, read.ReadLinear(layer + "output.dense", c.width, c.n_ff));
  ASSIGN_OR_RETURN(w.output_norm, read.ReadNorm(layer + "output.LayerNorm", c.width));
  return w;
}

}  // namespace

Result<BertWeights> LoadBertWeights(const SafetensorsFile& file, const EmbedderConfig& c,
                                    DeviceMemory& memory) {
  const BertReader read(file, memory);
  const auto width = static_cast<size_t>(c.width);
  BertWeights w;
  ASSIGN_OR_RETURN(const SafeTensor* words,
                   read.Tensor("embeddings.word_embeddings.weight", {c.n_vocab, c.width}));
  w.words = words->data;
  w.words_type = TypeOf(*words->dtype);
  ASSIGN_OR_RETURN(w.positions,
                   read.Floats("embeddings.position_embeddings.weight", {c.max_len, c.width}));
  // A text is one sentence: of two types the first.
  ASSIGN_OR_RETURN(const std::vector<float> types,
                   read.Floats("embeddings.token_type_embeddings.weight", {2, c.width}));
  for (size_t i = 0; i < w.positions.size(); ++i) w.positions[i] += types[i % width];
  ASSIGN_OR_RETURN(w.embedding_norm, read.ReadNorm("embeddings.LayerNorm", c.width));
  for (int32_t l = 0; l < c.n_layers; ++l) {
    ASSIGN_OR_RETURN(const BertLayer layer, ReadLayer(read, c, l));
    w.layers.push_back(layer);
  }
  return w;
}

}  // namespace anabranch
