#!/usr/bin/env python3
"""Golden nll and logits of a text on SmolLM2, dense, by llama.cpp: an independent engine.

    python3 tools/golden/llama_cpp_golden.py MODEL.gguf tests/golden/model/genesis.txt \\
        > tests/golden/model/genesis_llama_cpp.json

Needs llama-cpp-python and numpy. The text (Genesis 1 and 2, King James, without verse numbers) is
from Debian's bible-kjv: printf 'gen1:1-31\\ngen2:1-25\\n' | bible -f. Its first 1,500 tokens are read
with no BOS. Of some rows it stores the logits of the best 64 tokens and of 64 spread over the
vocabulary. llama.cpp rounds activations to 8 bits: how far that leads from the equations is seen by
comparing with genesis_equations.json (llama_numpy.py).
"""
import json
import sys

import llama_cpp
import numpy as np

N_TOKENS = 1500
ROWS = (0, 1, 13, 26, 39)


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
    rows = []
    for at in ROWS:
        spread = np.linspace(0, logits.shape[1] - 1, 64).astype(int)
        picked = np.unique(np.concatenate([np.argsort(-logits[at])[:64], spread]))
        rows.append({"row": at, "ids": picked.tolist(),
                     "logits": [round(float(logit), 5) for logit in logits[at][picked]]})
    golden = {"ids": ids, "nll": [round(float(value), 4) for value in nll], "rows": rows}
    print(json.dumps(golden, separators=(",", ":")))


if __name__ == "__main__":
    main()
