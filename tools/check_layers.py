#!/usr/bin/env python3
"""Fails on an #include that the architecture does not allow (DESIGN section 4, docs/architecture.md).

    tools/check_layers.py [ROOT]

Prints "file:line: includes X: rule" for each, and exits 1 if there are any.
"""

import re
import sys
from pathlib import Path

# Arrows between rooms of src/. They are transitive.
ARROWS = {
    "base": [],
    "tensor": ["base"],
    "kernels": ["tensor"],
    "io": ["tensor"],
    "text": ["base"],
    "kv": ["tensor"],
    "model": ["kernels", "kv", "io"],
    "sampling": ["tensor"],
    "memory": ["text", "kernels"],
    "stream": ["model", "kv", "memory", "sampling", "text"],
    "engine": ["stream"],
    "cli": ["base"],  # and the public headers: the program uses the library as others do
}

# Libraries, by how their headers begin, and the rooms that may include them.
LIBRARIES = {
    "pcre2.h": {"text"},
    "unicode/": {"text"},
    "sqlite3.h": {"memory"},
    "pqxx/": {"memory"},
    "libpq-fe.h": {"memory"},
    "CLI/": {"cli"},
    "spdlog/": {"cli"},
    "toml++/": {"cli"},
    "histedit.h": {"cli"},
    "editline/": {"cli"},
    "xxhash.h": {"memory", "engine", "cli"},
    "httplib.h": {"memory"},
    "openssl/": {"memory"},
    "nlohmann/": {"io", "model", "memory", "engine", "cli"},
    "fmt/": set(ARROWS),
    "tl/expected.hpp": set(ARROWS) | {"include", "tests"},
}
TEST_LIBRARIES = ("gtest/", "gmock/", "rapidcheck")

# A file of one instruction set sees C headers and plain data alone: an inline function that it
# shared with other files could be linked in its form.
INTRINSICS = re.compile(r"(?:[a-z]*mmintrin|immintrin|x86intrin)\.h")
INSTRUCTION_SETS = re.compile(r"src/kernels/(?:avx\w*|simd)/")
PLAIN_DATA = re.compile(
    r"kernels/(?:avx\w*|simd)/.*|kernels/(?:exec|kernel_table|tables)\.h|tensor/(?:dtype|plan)\.h")
C_HEADER = re.compile(r"(?:sys/|linux/|netinet/|arpa/)?\w+\.h")
CPP_HEADER = re.compile(r"\w+")

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]*)"|<([^>]*)>)')


def reachable(room, seen=None):
    """The room itself and all rooms below it."""
    seen = set() if seen is None else seen
    if room not in seen:
        seen.add(room)
        for below in ARROWS[room]:
            reachable(below, seen)
    return seen


def includes_of(path):
    """(line number, name, is quoted) of each include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1] or match[2], match[1] is not None


def place_of(file):
    """The room of a source file (a path relative to the root), or "include", or "tests"."""
    parts = file.split("/")
    return parts[1] if parts[0] == "src" else parts[0]


def test_files(files):
    """Those that only tests see: tests/, *_test.*, and headers of src/ that only these include."""
    named = {f for f in files if f.startswith("tests/") or f.endswith(("_test.cc", "_test.h"))}
    tests = set(named)
    includers = {}
    for file, includes in files.items():
        for _, name, is_quoted in includes:
            if is_quoted and "src/" + name in files:
                includers.setdefault("src/" + name, set()).add(file)
    while grown := {f for f, by in includers.items() if f not in tests and by <= tests}:
        tests |= grown
    # A header beside its own source file is part of the room, whoever includes it.
    return named | {f for f in tests if f.removesuffix(".h") + ".cc" not in files}


def project_fault(place, file, name, is_test):
    """The rule that a quoted include breaks, or None."""
    target = name.split("/")[0]
    if target == "anabranch":
        return None
    if place == "include":
        return "a public header includes only public headers, the standard library and tl/expected"
    if target == "support":
        return None if is_test else "only tests include tests/support"
    if target not in ARROWS or "/" not in name:
        return "a file of the project is named from src/, include/ or tests/"
    if file.startswith("tests/support/"):
        return "tests/support serves every room, so it includes none"
    if place != "tests" and target not in reachable(place):
        below = ", ".join(sorted(reachable(place) - {place})) or "nothing"
        return f"{place} may include {below} and the public headers"
    return None


def library_fault(place, name, is_test):
    """The rule that an include of a header from outside the project breaks, or None."""
    if name.startswith(TEST_LIBRARIES):
        return None if is_test else "only tests include test libraries"
    for prefix, rooms in LIBRARIES.items():
        if name.startswith(prefix):
            allowed = place in rooms or (place == "tests" and is_test)
            return None if allowed else f"{prefix} belongs to {', '.join(sorted(rooms))}"
    if INTRINSICS.fullmatch(name):
        return "instruction sets belong to src/kernels/avx* and simd"
    if CPP_HEADER.fullmatch(name) or (C_HEADER.fullmatch(name) and place != "include"):
        return None
    return "an unknown library: add it to tools/check_layers.py with the rooms that may use it"


def instruction_set_fault(name, is_quoted):
    if PLAIN_DATA.fullmatch(name) if is_quoted else C_HEADER.fullmatch(name):
        return None
    return "a file of one instruction set includes C headers, intrinsics and plain data alone"


def check(root):
    """All faults as lines of text."""
    files = {}
    for folder in ("src", "include", "tests"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc"):
                files[path.relative_to(root).as_posix()] = list(includes_of(path))
    tests = test_files(files)
    faults = []
    for file, includes in files.items():
        place = place_of(file)
        if place not in ARROWS and place not in ("include", "tests"):
            faults.append(f"{file}:1: is in no room of src/ (tools/check_layers.py lists them)")
            continue
        for number, name, is_quoted in includes:
            if INSTRUCTION_SETS.match(file) and file not in tests:
                fault = instruction_set_fault(name, is_quoted)
            elif is_quoted:
                fault = project_fault(place, file, name, file in tests)
            else:
                fault = library_fault(place, name, file in tests)
            if fault:
                faults.append(f"{file}:{number}: includes {name}: {fault}")
    return faults


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    faults = check(root)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
