"""Runs every command of the README's sh blocks, in order, as they stand there."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import program

README = program.ROOT / "README.md"


def commands():
    for block in re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.S):
        for command in block.replace("\\\n", " ").splitlines():
            yield command


class Readme(unittest.TestCase):
    def test_every_command_works(self):
        program.make_needles(program.ROOT / "data", [6000], [50])
        ran = 0
        with tempfile.TemporaryDirectory() as folder:
            for name in ("models", "data", "README.md"):
                os.symlink(program.ROOT / name, pathlib.Path(folder) / name)
            bin_folder = pathlib.Path(folder) / "build/release/bin"
            bin_folder.mkdir(parents=True)
            os.symlink(program.PROGRAM, bin_folder / "anabranch")
            for command in commands():
                with self.subTest(command):
                    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=folder,
                                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                          timeout=program.TIMEOUT_S, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    ran += 1
        self.assertGreaterEqual(ran, 8)

    def test_every_file_it_names_exists(self):
        for target in re.findall(r"\]\(([^)]+)\)", README.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                self.assertTrue((program.ROOT / target).exists(), target)
        for script in re.findall(r"^ {4}(script/\w+)", README.read_text(encoding="utf-8"), re.M):
            self.assertTrue(os.access(program.ROOT / script, os.X_OK), script)


if __name__ == "__main__":
    unittest.main(verbosity=2)
