"""Runs the program that is being tested, as a user would, and reads what it prints."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("ANABRANCH", str(ROOT / "build/release/bin/anabranch"))
MODEL = "models/SmolLM2-135M-Instruct.Q4_1.gguf"
TIMEOUT_S = 240


def run(*args, stdin=None, env=None, cwd=ROOT, timeout=TIMEOUT_S):
    """Runs `anabranch ARGS`; stdin: text, or None for an empty one."""
    return subprocess.run([PROGRAM, *map(str, args)], cwd=cwd, input=stdin or "",
                          capture_output=True, text=True, timeout=timeout, check=False,
                          env={**os.environ, **(env or {})})


def run_json(*args, **kwargs):
    """Runs with --json; returns (process, objects), one object per line of stdout."""
    process = run(*args, "--json", **kwargs)
    return process, [json.loads(line) for line in process.stdout.splitlines()]


def of_type(objects, kind):
    return [each for each in objects if each["type"] == kind]


def make_needles(out, lengths, depths):
    subprocess.run([ROOT / "tools/make_needles.py", "--out", str(out),
                    "--length", *map(str, lengths), "--depth", *map(str, depths)], check=True)
