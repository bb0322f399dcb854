#!/usr/bin/env python3
"""Fails if clang-format would change a C++ file, and names it."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "include", "tests", "examples", "bench")


def main() -> int:
    files = sorted(path for folder in FOLDERS for ending in ("*.h", "*.cc")
                   for path in (ROOT / folder).rglob(ending))
    run = subprocess.run(["clang-format", "--dry-run", "--Werror", *map(str, files)], cwd=ROOT,
                         capture_output=True, text=True)
    if run.returncode != 0:
        print(run.stderr)
        print("format: run clang-format -i on the files above")
        return 1
    print(f"{len(files)} files are formatted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
