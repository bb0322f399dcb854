#!/usr/bin/env python3
"""Compares the embedder's speed with onnxruntime's: same weights, texts and threads, in turn.

    python3 -m venv build/onnx && build/onnx/bin/pip install -r bench/onnxruntime.txt
    build/onnx/bin/python bench/compare_onnxruntime.py --embedder models/all-MiniLM-L6-v2

The ONNX graph is made here from the same safetensors, of the operators that onnxruntime fuses for BERT,
and checked first against the golden vectors of anabranch's tests. onnxruntime is handed token ids, in batches of one length
without padding; anabranch's figure has the tokenizer's time in it.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file
from tokenizers import BertWordPieceTokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPSET = 20  # the first with Gelu


def build_graph(folder):
    """BERT, the mean over a text's tokens and its unit length: ids [texts, tokens] -> [texts, width]."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = {name.removeprefix("bert."): value.astype(np.float32) if value.dtype != np.int64 else value
               for name, value in load_file(folder / "model.safetensors").items()}
    width, heads, eps = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(op, *inputs, **attributes):
        name = f"n{len(nodes)}"
        nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def linear(name, x):
        weight = constant(name + ".weight", np.ascontiguousarray(weights[name + ".weight"].T))
        return add("Add", add("MatMul", x, weight), constant(name + ".bias", weights[name + ".bias"]))

    def norm(name, x):
        return add("LayerNormalization", x, constant(name + ".weight", weights[name + ".weight"]),
                   constant(name + ".bias", weights[name + ".bias"]), epsilon=eps)

    split = constant("split", np.array([0, 0, heads, width // heads], np.int64))
    merge = constant("merge", np.array([0, 0, width], np.int64))
    scale = constant("scale", np.float32((width // heads) ** -0.5))
    zero, one, rows = (constant(name, np.array([value], np.int64)) for name, value in (("0", 0), ("1", 1), ("2", 2)))
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    n_tokens = add("Slice", add("Shape", "ids"), one, rows)
    x = add("Add", add("Gather", constant("words", weights["embeddings.word_embeddings.weight"]), "ids"),
            add("Slice", constant("positions", positions), zero, n_tokens, zero))
    x = norm("embeddings.LayerNorm", x)
    for layer in range(config["num_hidden_layers"]):
        prefix = f"encoder.layer.{layer}."
        q, k, v = (add("Transpose", add("Reshape", linear(f"{prefix}attention.self.{name}", x), split), perm=perm)
                   for name, perm in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])))
        attention = add("MatMul", add("Softmax", add("Mul", add("MatMul", q, k), scale), axis=-1), v)
        attention = add("Reshape", add("Transpose", attention, perm=[0, 2, 1, 3]), merge)
        x = norm(prefix + "attention.output.LayerNorm", add("Add", linear(prefix + "attention.output.dense", attention), x))
        inner = add("Gelu", linear(prefix + "intermediate.dense", x))
        x = norm(prefix + "output.LayerNorm", add("Add", linear(prefix + "output.dense", inner), x))
    mean = add("ReduceMean", x, one, keepdims=0)
    nodes.append(helper.make_node("Div", [mean, add("ReduceL2", mean, one, keepdims=1)], ["vectors"]))
    graph = helper.make_graph(nodes, "bert", [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])],
                              [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", width])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def sentences(folder):
    """What `anabranch bench embedder` embeds, in batches of one length."""
    tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)
    by_length = {}
    for i in range(512):
        text = f"The clerk of room {i} wrote a short note about the weather and the old stone bridge."
        ids = tokenizer.encode(text).ids
        by_length.setdefault(len(ids), []).append(ids)
    return [np.array(ids[at:at + 64], np.int64) for ids in by_length.values() for at in range(0, len(ids), 64)]


def least_cosine(run):
    """With the golden vectors of the project's tests, which are the equations in f64."""
    worst = 1.0
    for text in json.loads((ROOT / "tests/golden/model/embedder.json").read_text(encoding="utf-8")):
        worst = min(worst, float(run(np.array([text["ids"]], np.int64))[0] @ np.array(text["vector"])))
    return worst


def tokens_per_s(run, batches):
    begin = time.perf_counter()
    for batch in batches:
        run(batch)
    return sum(batch.size for batch in batches) / (time.perf_counter() - begin)


def measure_anabranch(program, folder, threads):
    line = subprocess.run([program, "bench", "embedder", "--embedder", folder, "--threads", str(threads), "--repeats", "1", "--json"],
                          check=True, capture_output=True, text=True).stdout
    return json.loads(line)["tokens_per_s"]


def spread(values):
    return f"{statistics.median(values):.0f} ({min(values):.0f} - {max(values):.0f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--embedder", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/anabranch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    batches = sentences(args.embedder)
    with tempfile.TemporaryDirectory() as folder:
        floats, bytes8 = (pathlib.Path(folder) / name for name in ("f32.onnx", "int8.onnx"))
        onnx.save(build_graph(args.embedder), floats)
        quantize_dynamic(floats, bytes8, weight_type=QuantType.QInt8)
        runs = {}
        for name, path in (("onnxruntime, F32", floats), ("onnxruntime, int8 (dynamic)", bytes8)):
            one = session(path, args.threads)
            runs[name] = lambda ids, one=one: one.run(None, {"ids": ids})[0]
        cosines = {name: least_cosine(run) for name, run in runs.items()}
        if cosines["onnxruntime, F32"] < 0.9999:
            sys.exit(f"compare_onnxruntime: the graph is not this model: cosine {cosines['onnxruntime, F32']:.6f}")
        figures = {name: [] for name in (*runs, "anabranch")}
        for _ in range(args.rounds):
            for name, run in runs.items():
                figures[name].append(tokens_per_s(run, batches))
            figures["anabranch"].append(measure_anabranch(args.program, args.embedder, args.threads))
    ours = statistics.median(figures["anabranch"])
    print(f"onnxruntime {onnxruntime.__version__}, {args.threads} threads, {args.rounds} rounds; medians (least - most)\n")
    print("| | tokens/s | anabranch is faster by | least cosine with the equations |\n| --- | ---: | ---: | ---: |")
    for name, values in figures.items():
        cosine = f"{cosines[name]:.5f}" if name in cosines else "0.9999 or more, tested"
        print(f"| {name} | {spread(values)} | {ours / statistics.median(values):.2f} | {cosine} |")


if __name__ == "__main__":
    main()
