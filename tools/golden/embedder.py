#!/usr/bin/env python3
"""Golden sentence vectors of all-MiniLM-L6-v2, from the BERT paper's equations in f64.

    python3 tools/golden/embedder.py models/all-MiniLM-L6-v2 > tests/golden/model/embedder.json

Needs numpy and tokenizers (Hugging Face), which only cuts the texts: attention, normalisation, GELU
and pooling are written out below.
"""
import json
import math
import struct
import sys

import numpy as np
from tokenizers import Tokenizer

TEXTS = [
    "The river divides and joins again downstream.",
    "An anabranch leaves the main stream and returns to it.",
    "hello",
    "?",
    "When was he born?",
    "He was born in Paris on the 4th of May, 1871.",
    "The secret code of the vault is 7391-KILO.",
    "What number opens the vault?",
    "In the beginning God created the heaven and the earth.",
    "Der schnelle braune Fuchs springt über den faulen Hund.",
    "Où est la bibliothèque, s'il vous plaît ?",
    "東京は日本の首都です。",
    "for (int i = 0; i < n; ++i) sum += x[i] * w[i];",
    "3.14159 26535 89793 23846",
    "UPPER CASE AND lower case are the same to this model",
    "😀 emoji are unknown words",
    "word " * 100,
    "A sentence that goes on. " * 60,
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "The best swordsman in the kingdom never lost his temper, his hat, or a duel.",
]


def read_safetensors(path):
    raw = open(path, "rb").read()
    (n,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + n])
    tensors = {}
    for name, info in header.items():
        if name == "__metadata__" or info["dtype"] != "F32":
            continue
        begin, end = (8 + n + at for at in info["data_offsets"])
        tensors[name] = np.frombuffer(raw[begin:end], "<f4").reshape(info["shape"]).astype("f8")
    return tensors


def embed(ids, weights, config):
    eps, n_heads = config["layer_norm_eps"], config["num_attention_heads"]
    erf = np.vectorize(math.erf)

    def linear(x, name):
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]

    def layer_norm(x, name):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        normal = (x - mean) / np.sqrt(variance + eps)
        return normal * weights[name + ".weight"] + weights[name + ".bias"]

    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = layer_norm(x, "embeddings.LayerNorm")
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        q, k, v = (
            linear(x, at + "attention.self." + part).reshape(len(ids), n_heads, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1])
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        attended = (p @ v).swapaxes(0, 1).reshape(len(ids), -1)
        x = layer_norm(x + linear(attended, at + "attention.output.dense"),
                       at + "attention.output.LayerNorm")
        h = linear(x, at + "intermediate.dense")
        h = 0.5 * h * (1 + erf(h / math.sqrt(2)))
        x = layer_norm(x + linear(h, at + "output.dense"), at + "output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def main():
    folder = sys.argv[1]
    weights = read_safetensors(folder + "/model.safetensors")
    config = json.load(open(folder + "/config.json"))
    tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(config["max_position_embeddings"])
    lines = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        vector = [round(value, 6) for value in embed(ids, weights, config)]
        lines.append(json.dumps({"ids": ids, "vector": vector}, separators=(",", ":")))
    print("[\n" + ",\n".join(lines) + "\n]")


if __name__ == "__main__":
    main()
