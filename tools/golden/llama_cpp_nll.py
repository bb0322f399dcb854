#!/usr/bin/env python3
"""Golden nll of a text on SmolLM2, dense, by llama.cpp: what an independent engine makes of it.

    python3 tools/golden/llama_cpp_nll.py MODEL.gguf tests/golden/model/genesis.txt \\
        > tests/golden/model/genesis_nll.json

Needs llama-cpp-python and numpy. The text (Genesis 1 and 2, King James, without verse numbers) is
from Debian's bible-kjv: printf 'gen1:1-31\\ngen2:1-25\\n' | bible -f. Its first 1,500 tokens are read
with no BOS.
"""
import json
import sys

import llama_cpp
import numpy as np

N_TOKENS = 1500


def main():
    model_path, text_path = sys.argv[1:]
    text = open(text_path, "rb").read()
    model = llama_cpp.Llama(model_path, n_ctx=2048, logits_all=True, verbose=False)
    ids = model.tokenize(text, add_bos=False, special=False)[:N_TOKENS]
    model.eval(ids)
    logits = model.scores[: len(ids) - 1].astype("f8")
    top = logits.max(-1)
    log_sum = top + np.log(np.exp(logits - top[:, None]).sum(-1))
    nll = log_sum - logits[np.arange(len(ids) - 1), ids[1:]]
    print(json.dumps({"ids": ids, "nll_mean": round(float(nll.mean()), 6)}, separators=(",", ":")))


if __name__ == "__main__":
    main()
