#!/usr/bin/env python3
"""Plants includes in a small tree: what check_layers.py must find, and what it must not."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from check_layers import check

CHECKER = Path(__file__).resolve().parent / "check_layers.py"


def write_tree(root, files):
    for path, text in files.items():
        file = Path(root) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


class CheckLayers(unittest.TestCase):
    def run_on(self, files):
        """The faults of a tree of {path: text}."""
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, files)
            return check(Path(root))

    def test_the_exit_code_tells(self):
        for include, code in [("tensor/dtype.h", 0), ("model/model.h", 1)]:
            with tempfile.TemporaryDirectory() as root:
                write_tree(root, {"src/io/a.cc": f'#include "{include}"\n'})
                done = subprocess.run([sys.executable, CHECKER, root], capture_output=True,
                                      text=True, check=False)
            self.assertEqual(done.returncode, code)
            self.assertEqual(len(done.stdout.splitlines()), code)
            self.assertEqual(done.stderr, "")

    def assert_found(self, path, include, rule):
        lines = self.run_on({path: f"// A comment\n#include {include}\n"})
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(f"{path}:2: includes {include[1:-1]}: "), lines[0])
        self.assertIn(rule, lines[0])

    def assert_allowed(self, path, include):
        self.assertEqual(self.run_on({path: f"#include {include}\n"}), [])

    def test_an_arrow_upwards_is_found(self):
        self.assert_found("src/io/gguf.cc", '"model/model.h"', "io may include base, tensor")
        self.assert_found("src/base/check.h", '"tensor/dtype.h"', "base may include nothing")
        self.assert_found("src/kv/plan.cc", '"kernels/exec.h"', "kv may include")
        self.assert_found("src/memory/unit.cc", '"stream/context.h"', "memory may include")
        self.assert_found("src/io/gguf_test.cc", '"model/model.h"', "io may include")

    def test_arrows_are_transitive(self):
        self.assert_allowed("src/engine/engine.cc", '"base/result.h"')
        self.assert_allowed("src/stream/chat_stream.cc", '"io/gguf.h"')
        self.assert_allowed("src/model/llama.cc", '"tensor/dtype.h"')

    def test_the_program_uses_public_headers_alone(self):
        self.assert_allowed("src/cli/main.cc", '"anabranch/engine.h"')
        self.assert_allowed("src/cli/main.cc", '"cli/run.h"')
        self.assert_found("src/cli/main.cc", '"engine/fingerprint.h"', "cli may include base")

    def test_public_headers_stand_alone(self):
        self.assert_allowed("include/anabranch/engine.h", '"anabranch/types.h"')
        self.assert_allowed("include/anabranch/engine.h", "<tl/expected.hpp>")
        self.assert_allowed("include/anabranch/engine.h", "<string_view>")
        for include in ('"base/result.h"', '"support/temp_dir.h"'):
            self.assert_found("include/anabranch/engine.h", include, "a public header includes only")
        self.assert_found("include/anabranch/engine.h", "<fmt/format.h>", "fmt/ belongs to")
        self.assert_found("include/anabranch/engine.h", "<gtest/gtest.h>", "only tests")
        self.assert_found("include/anabranch/engine.h", "<unistd.h>", "unknown library")

    def test_libraries_stay_in_their_rooms(self):
        for header, room, other in [("pcre2.h", "text", "engine"), ("sqlite3.h", "memory", "stream"),
                                    ("unicode/uchar.h", "text", "cli"), ("CLI/App.hpp", "cli", "io"),
                                    ("spdlog/logger.h", "cli", "engine"),
                                    ("toml++/toml.h", "cli", "base"),
                                    ("histedit.h", "cli", "text")]:
            self.assert_allowed(f"src/{room}/a.cc", f"<{header}>")
            self.assert_found(f"src/{other}/a.cc", f"<{header}>", f"belongs to {room}")
        self.assert_found("src/io/a.cc", "<boost/any.hpp>", "unknown library")

    def test_intrinsics_stay_in_their_folders(self):
        for folder in ("avx2", "avx512", "simd"):
            self.assert_allowed(f"src/kernels/{folder}/vec.h", "<immintrin.h>")
            for include in ("<vector>", '"kernels/cpu_exec.h"', '"base/check.h"', "<fmt/core.h>"):
                self.assert_found(f"src/kernels/{folder}/vec.h", include, "one instruction set")
        for place in ("src/kernels/cpu_exec.cc", "src/kernels/ref/dot.h", "src/io/gguf.cc"):
            self.assert_found(place, "<immintrin.h>", "instruction sets belong to")

    def test_only_tests_include_test_support(self):
        for include in ('"support/temp_dir.h"', "<gtest/gtest.h>", "<rapidcheck/gtest.h>"):
            self.assert_allowed("src/io/gguf_test.cc", include)
            self.assert_found("src/io/gguf.cc", include, "only tests")
        self.assert_found("tests/support/tiny.cc", '"io/gguf.h"', "includes none")

    def test_a_header_that_only_tests_include_is_a_test(self):
        header = {"src/stream/fake.h": '#include "support/tiny_model.h"\n'}
        test = {"src/stream/a_test.cc": '#include "stream/fake.h"\n'}
        source = {"src/stream/a.cc": '#include "stream/fake.h"\n'}
        self.assertEqual(self.run_on(header | test), [])
        self.assertEqual(len(self.run_on(header | test | source)), 1)

        own = {"src/stream/fake.cc": '#include "stream/fake.h"\n'}
        self.assertEqual(len(self.run_on(header | test | own)), 1)
        self.assert_allowed("src/kernels/kernel_test.h", '"support/random_weights.h"')

    def test_files_are_named_from_a_root(self):
        self.assert_found("src/io/gguf.cc", '"gguf.h"', "is named from src/")
        self.assert_found("src/io/gguf.cc", '"../model/model.h"', "is named from src/")

    def test_a_new_folder_is_no_room(self):
        lines = self.run_on({"src/misc/a.cc": "#include <vector>\n"})
        self.assertEqual(len(lines), 1)
        self.assertIn("src/misc/a.cc:1: is in no room", lines[0])


if __name__ == "__main__":
    unittest.main()
