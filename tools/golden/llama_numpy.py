#!/usr/bin/env python3
"""Golden logits of SmolLM2 from its dequantised weights in f64: what the equations say.

    python3 tools/golden/llama_numpy.py MODEL.gguf tests/golden/model/genesis_llama_cpp.json \\
        > tests/golden/model/genesis_equations.json

Needs numpy and gguf. It reads the 1,500 ids of genesis_llama_cpp.json (llama_cpp_golden.py) and stores
what that file has, as the equations have it.
"""
import json
import sys

import gguf
import numpy as np


def rotate(x, theta):
    """x [tokens, heads, dim]: pairs (2j, 2j + 1) turned by position * theta^(-2j / dim)."""
    dim = x.shape[-1]
    angle = np.arange(len(x))[:, None] * theta ** (-np.arange(0, dim, 2) / dim)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    even, odd = x[..., 0::2], x[..., 1::2]
    out = np.empty_like(x)
    out[..., 0::2] = even * cos - odd * sin
    out[..., 1::2] = even * sin + odd * cos
    return out


class Llama:
    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}

        def key(name):
            return reader.fields["llama." + name].contents()

        self.n_layers, self.n_heads = key("block_count"), key("attention.head_count")
        self.n_kv_heads = key("attention.head_count_kv")
        self.eps, self.theta = key("attention.layer_norm_rms_epsilon"), key("rope.freq_base")

    def weight(self, name):
        tensor = self.tensors[name]
        return gguf.dequantize(tensor.data, tensor.tensor_type).astype("f8")

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * self.weight(name)

    def hidden(self, ids):
        n = len(ids)
        x = self.weight("token_embd.weight")[ids]
        mask = np.triu(np.full((n, n), -np.inf), 1)
        for layer in range(self.n_layers):
            blk = f"blk.{layer}."
            h = self.norm(x, blk + "attn_norm.weight")
            q = (h @ self.weight(blk + "attn_q.weight").T).reshape(n, self.n_heads, -1)
            k = (h @ self.weight(blk + "attn_k.weight").T).reshape(n, self.n_kv_heads, -1)
            v = (h @ self.weight(blk + "attn_v.weight").T).reshape(n, self.n_kv_heads, -1)
            q, k = rotate(q, self.theta), rotate(k, self.theta)
            group = self.n_heads // self.n_kv_heads
            heads = []
            for head in range(self.n_heads):
                scores = q[:, head] @ k[:, head // group].T / np.sqrt(q.shape[-1]) + mask
                p = np.exp(scores - scores.max(-1, keepdims=True))
                heads.append(p / p.sum(-1, keepdims=True) @ v[:, head // group])
            x = x + np.concatenate(heads, -1) @ self.weight(blk + "attn_output.weight").T
            h = self.norm(x, blk + "ffn_norm.weight")
            gate = h @ self.weight(blk + "ffn_gate.weight").T
            up = h @ self.weight(blk + "ffn_up.weight").T
            x = x + (gate / (1 + np.exp(-gate)) * up) @ self.weight(blk + "ffn_down.weight").T
        return self.norm(x, "output_norm.weight")

    def logits(self, hidden):
        tied = "output.weight" not in self.tensors
        return hidden @ self.weight("token_embd.weight" if tied else "output.weight").T


def main():
    model = Llama(sys.argv[1])
    golden = json.load(open(sys.argv[2]))
    ids = golden["ids"]
    logits = model.logits(model.hidden(ids)[:-1])
    top = logits.max(-1)
    log_sum = top + np.log(np.exp(logits - top[:, None]).sum(-1))
    nll = log_sum - logits[np.arange(len(ids) - 1), ids[1:]]
    for row in golden["rows"]:
        row["logits"] = [round(float(logit), 5) for logit in logits[row["row"]][row["ids"]]]
    golden["nll"] = [round(float(value), 4) for value in nll]
    print(json.dumps(golden, separators=(",", ":")))


if __name__ == "__main__":
    main()
