#!/usr/bin/env python3
"""Makes tests/golden/text/: token ids of the reference tokenizers (needs models/, and llama-cpp-python,
gguf and tokenizers from PyPI).

strings.txt holds a string per line (\\\\, \\n and \\xNN escaped). Each other file holds their ids, a line per string: three
characters per id (base 64, most significant first), or "=N": as in the file that the test names as its base,
on this line and up to the Nth. A file may end early: gemma-space-prefix.ids has the first 800 strings alone.
The pre-tokenizers are run over SmolLM2's vocabulary; what has a space prefix, over gemma-3's.
"""

import ctypes
import pathlib
import string
import tempfile

import gguf
import llama_cpp
import tokenizers

from tokenizer_strings import make_strings

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests/golden/text"
SMOLLM = ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
GEMMA = ROOT / "models/gemma-3-270m-q4_k_m.gguf"
WORDPIECE = ROOT / "models/all-MiniLM-L6-v2/tokenizer.json"
DIGITS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"


class LlamaCpp:
    """The tokenizer of a GGUF file, as llama.cpp has it."""

    def __init__(self, path):
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)

    def encode(self, text, special=False):
        ids = (llama_cpp.llama_token * (4 * len(text) + 16))()
        n = llama_cpp.llama_tokenize(self.vocab, text, len(text), ids, len(ids), False, special)
        assert n >= 0
        return list(ids[:n])


def with_changes(path, changed, folder):
    """A vocabulary-only copy of a GGUF file with other values under tokenizer.ggml."""
    fields = gguf.GGUFReader(path).fields
    values = {key.split(".")[-1]: field.contents() for key, field in fields.items() if key.startswith("tokenizer.ggml.")}
    values |= changed
    copy = pathlib.Path(folder) / "vocabulary.gguf"
    writer = gguf.GGUFWriter(copy, "llama")
    writer.add_tokenizer_model(values["model"])
    writer.add_tokenizer_pre(values["pre"])
    writer.add_token_list(values["tokens"])
    writer.add_token_types(values["token_type"])
    if "merges" in values:
        writer.add_token_merges(values["merges"])
    if "scores" in values:
        writer.add_token_scores(values["scores"])
    writer.add_bos_token_id(values["bos_token_id"])
    writer.add_eos_token_id(values["eos_token_id"])
    writer.add_unk_token_id(values["unknown_token_id"])
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(values["add_space_prefix"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return copy


def escaped(text):
    def one(byte):
        return {"\\": "\\\\", "\n": "\\n"}.get(byte) or (byte if 32 <= ord(byte) < 127 else f"\\x{ord(byte):02X}")

    try:
        decoded = text.decode()
        return "".join(c if c.isprintable() and ord(c) > 126 else "".join(map(one, c.encode().decode("latin-1")))
                       for c in decoded)
    except UnicodeDecodeError:
        return "".join(map(one, text.decode("latin-1")))


def line(ids):
    return "".join(DIGITS[i >> 12] + DIGITS[i >> 6 & 63] + DIGITS[i & 63] for i in ids)


def write(name, rows, base=()):
    """Writes a file and returns its lines, for others to build on."""
    rows = [line(row) for row in rows]
    lines = []
    same = 0
    for i, row in enumerate(rows):
        same = same + 1 if i < len(base) and row == base[i] else 0
        if same > 1:
            lines.pop()
        lines.append(f"={same}" if same else row)
    (OUT / f"{name}.ids").write_text("".join(row + "\n" for row in lines))
    return rows


def main():
    silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    OUT.mkdir(parents=True, exist_ok=True)
    strings = make_strings()
    (OUT / "strings.txt").write_text("".join(escaped(s) + "\n" for s in strings))

    smollm = LlamaCpp(SMOLLM)
    base = write("smollm", [smollm.encode(s) for s in strings])
    write("smollm-special", [smollm.encode(s, special=True) for s in strings], base)
    for pre in ("gpt-2", "llama-bpe", "qwen2", "default"):
        with tempfile.TemporaryDirectory() as folder:
            other = LlamaCpp(with_changes(SMOLLM, {"pre": pre}, folder))
            write(pre, [other.encode(s) for s in strings], base)

    gemma = LlamaCpp(GEMMA)
    base = write("gemma", [gemma.encode(s) for s in strings])
    write("gemma-special", [gemma.encode(s, special=True) for s in strings], base)
    with tempfile.TemporaryDirectory() as folder:
        spaced = LlamaCpp(with_changes(GEMMA, {"add_space_prefix": True}, folder))
        write("gemma-space-prefix", [spaced.encode(s) for s in strings[:800]])

    wordpiece = tokenizers.Tokenizer.from_file(str(WORDPIECE))
    wordpiece.no_padding()
    wordpiece.no_truncation()
    wordpiece.encode_special_tokens = True  # "[SEP]" in a text is text
    write("wordpiece", [wordpiece.encode(s.decode(errors="replace"), add_special_tokens=False).ids for s in strings])


if __name__ == "__main__":
    main()
