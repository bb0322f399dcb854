#!/usr/bin/env python3
"""Fails if an object of one instruction set defines a global or weak symbol other than its table.

    tools/check_kernel_symbols.py LIBRARY [NM]

LIBRARY is the static library of src/kernels. An inline function that such an object shared with
another would be merged by the linker, perhaps in its AVX-512 form; so each of them keeps everything
to itself but its table. Prints what is wrong, one a line, and exits 1 if there is anything.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The table of each folder under src/kernels, as the compiler mangles it.
TABLES = {"avx2": "_ZN9anabranch12kAvx2KernelsE", "avx512": "_ZN9anabranch14kAvx512KernelsE"}

# What sanitizers and exception tables add to every object, type information too; no code of ours.
NOT_OURS = re.compile(r"__odr_asan.*|DW\.ref\..*|_ZT[IS]F.*")

MEMBER = re.compile(r"(?:.*[\[/])?([^/\[\]]+\.o)\]?:")


def members_of(nm_output):
    """(object, its symbols) of each member, from `nm --format=posix` on a library."""
    members = []
    for line in nm_output.splitlines():
        if match := MEMBER.fullmatch(line.strip()):
            members.append((match[1], []))
        elif line.strip() and members:
            symbol = line.split()[0]
            if not NOT_OURS.fullmatch(symbol):
                members[-1][1].append(symbol)
    return members


def faults_of(members, files):
    """members: as from members_of. files: {folder: names of its .cc files}."""
    faults = []
    names = {f"{name}.o" for folder in files.values() for name in folder}
    objects = [(name, symbols) for name, symbols in members if name in names]
    n_files = sum(len(folder) for folder in files.values())
    if len(objects) != n_files:
        faults.append(f"{len(objects)} objects for {n_files} files: {', '.join(sorted(names))}")
    for folder in files:
        if not any(TABLES[folder] in symbols for _, symbols in objects):
            faults.append(f"{folder}: its table {TABLES[folder]} is nowhere")
    for name, symbols in objects:
        for symbol in symbols:
            if symbol not in TABLES.values():
                faults.append(f"{name}: defines {symbol}, which the linker may share")
    return faults


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    library, nm = sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "nm"
    command = [nm, "--format=posix", "--defined-only", "--extern-only", library]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    files = {folder: [path.name for path in (ROOT / "src/kernels" / folder).glob("*.cc")]
             for folder in TABLES}
    faults = faults_of(members_of(output), files)
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
