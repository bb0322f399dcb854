#!/usr/bin/env python3
"""Compares the speed of anabranch with llama.cpp's: same file, threads and window, in turn.

    python3 -m venv build/llama && build/llama/bin/pip install -r bench/requirements.txt
    build/llama/bin/python bench/compare_llama_cpp.py --model models/SmolLM2-135M-Instruct.Q4_1.gguf

pip builds llama.cpp for this machine. In each round both read `window` tokens into an empty window
(prefill) and decode with a full one; the medians of the rounds are compared, because the machine may
be shared. llama.cpp holds keys and values in 16 bits, as anabranch does, and runs with and without
flash attention: the faster one counts, figure by figure.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import llama_cpp

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIGURES = (("prefill", "tokens/s", max), ("decode", "ms/token", min))


class LlamaCpp:
    """A context of llama.cpp for a window, and the tokens that fill it."""

    def __init__(self, model, window, threads, decoded, flash):
        self.llama = llama_cpp.Llama(str(model), n_ctx=window + decoded, n_threads=threads,
                                     n_threads_batch=threads, n_batch=512, flash_attn=flash, verbose=False)
        self.tokens = [i * 7919 % self.llama.n_vocab() for i in range(window)]
        self.decoded = decoded

    def measure(self):
        self.llama.reset()
        begin = time.perf_counter()
        self.llama.eval(self.tokens)
        filled = time.perf_counter()
        for i in range(self.decoded):
            self.llama.eval([self.tokens[i]])
        end = time.perf_counter()
        return {"prefill": len(self.tokens) / (filled - begin), "decode": 1000 * (end - filled) / self.decoded}


def measure_anabranch(program, model, window, threads, decoded):
    line = subprocess.run([program, "bench", "--model", model, "--recent-size", str(window), "--threads",
                           str(threads), "--decode-tokens", str(decoded), "--repeats", "1", "--json"],
                          check=True, capture_output=True, text=True).stdout
    row = json.loads(line)
    if row["disturbed"]:
        print("  disturbed: the machine's own limits fell by more than a tenth", file=sys.stderr)
    return {"prefill": row["prefill_tps"], "decode": row["decode_ms"],
            "floor": {"prefill": row["prefill_floor_tps"], "decode": row["decode_floor_ms"]}}


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} - {max(values):.2f})"


def compare(args, window):
    """The rows of one window."""
    theirs = {flash: LlamaCpp(args.model, window, args.threads, args.decode_tokens, flash)
              for flash in (False, True)}
    ours, others = [], {False: [], True: []}
    for _ in range(args.rounds):
        ours.append(measure_anabranch(args.program, args.model, window, args.threads, args.decode_tokens))
        for flash, llama in theirs.items():
            others[flash].append(llama.measure())
    for name, unit, best in FIGURES:
        mine = [row[name] for row in ours]
        faster = best(others.values(), key=lambda rows: statistics.median(row[name] for row in rows))
        other = [row[name] for row in faster]
        ratio = statistics.median(mine) / statistics.median(other)
        floor = statistics.median(row["floor"][name] for row in ours)
        yield (f"| {name}, {unit} | {window} | {spread(other)} | {spread(mine)} | "
               f"{ratio if best is max else 1 / ratio:.2f} | {floor:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/anabranch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--windows", default="1024,4096")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--decode-tokens", type=int, default=64)
    args = parser.parse_args()
    print(f"llama-cpp-python {llama_cpp.__version__}, {args.threads} threads, {args.rounds} rounds; medians (least - most)\n")
    print("| work | window | llama.cpp | anabranch | ratio | floor |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for window in map(int, args.windows.split(",")):
        for row in compare(args, window):
            print(row, flush=True)


if __name__ == "__main__":
    main()
