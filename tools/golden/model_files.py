#!/usr/bin/env python3
"""What the default models' files hold, as other readers see it: tests/golden/io/*.json.

    python3 -m venv venv && venv/bin/pip install gguf==0.19.0
    venv/bin/python tools/golden/model_files.py

GGUF is read by the package gguf. safetensors is read here: its header is JSON.
"""

import json
from pathlib import Path

import gguf

ROOT = Path(__file__).resolve().parent.parent.parent
EDGE = 8  # bytes of a tensor shown from either end


def edges(data):
    return [data[:EDGE].hex(), data[-EDGE:].hex()]


def plain(value):
    """Arrays by length, first and last; the rest as it is."""
    if isinstance(value, list):
        return {"n": len(value), "first": value[0], "last": value[-1]}
    return value


def gguf_golden(path):
    reader = gguf.GGUFReader(path)
    metadata = {key: plain(field.contents()) for key, field in reader.fields.items()
                if not key.startswith("GGUF.")}
    tensors = [[t.name, int(t.tensor_type), [int(n) for n in t.shape], int(t.n_bytes),
                *edges(t.data.tobytes())] for t in reader.tensors]
    return {"metadata": metadata, "tensors": tensors}


def safetensors_golden(path):
    raw = path.read_bytes()
    header_bytes = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + header_bytes])
    data = raw[8 + header_bytes:]
    return {"tensors": [[name, entry["dtype"], entry["shape"],
                         *edges(data[slice(*entry["data_offsets"])])]
                        for name, entry in header.items() if name != "__metadata__"]}


def write(name, golden):
    """One tensor a line, so that a change can be read."""
    tensors = ",\n".join(json.dumps(t) for t in golden.pop("tensors"))
    head = "".join(f"{json.dumps(k)}: {json.dumps(v)},\n" for k, v in golden.items())
    file = ROOT / "tests/golden/io" / name
    file.write_text(f'{{{head}"tensors": [\n{tensors}\n]}}\n', encoding="utf-8")


models = ROOT / "models"
write("smollm2.json", gguf_golden(models / "SmolLM2-135M-Instruct.Q4_1.gguf"))
write("gemma3.json", gguf_golden(models / "gemma-3-270m-q4_k_m.gguf"))
write("minilm.json", safetensors_golden(models / "all-MiniLM-L6-v2/model.safetensors"))
