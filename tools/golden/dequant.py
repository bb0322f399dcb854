#!/usr/bin/env python3
"""Writes tests/golden/tensor/TYPE.bin: blocks of each GGUF type, and what they mean.

A file is N_BLOCKS blocks of random bits, whose F16 scales are made finite, and then their values
as float32 (little endian), dequantised by the `gguf` Python package (pip install gguf numpy).
Usage: dequant.py [FOLDER]
"""
import pathlib
import sys

import gguf
import numpy as np

N_BLOCKS = 8

# Byte offsets of the F16 scales within a block, from llama.cpp's ggml-common.h.
F16_OFFSETS = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}


def random_blocks(name: str, rng: np.random.Generator) -> np.ndarray:
    quant = gguf.GGMLQuantizationType[name]
    _, block_bytes = gguf.GGML_QUANT_SIZES[quant]
    blocks = rng.integers(0, 256, size=(N_BLOCKS, block_bytes), dtype=np.uint8)
    for offset in F16_OFFSETS[name]:
        scales = rng.uniform(-2, 2, size=N_BLOCKS).astype(np.float16)
        scales[-1] = np.float16(3e-7)  # a subnormal one
        blocks[:, offset:offset + 2] = scales.view(np.uint8).reshape(N_BLOCKS, 2)
    return blocks


def main() -> None:
    default = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/tensor"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20)
    for name in F16_OFFSETS:
        blocks = random_blocks(name, rng)
        values = gguf.quants.dequantize(blocks.reshape(-1), gguf.GGMLQuantizationType[name])
        data = blocks.tobytes() + values.astype("<f4").tobytes()
        (folder / f"{name.lower()}.bin").write_bytes(data)


if __name__ == "__main__":
    main()
