"""The library as others use it: installed, found by CMake, and an example built against it."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import program


class Install(unittest.TestCase):
    def test_an_example_is_built_against_the_installed_package_and_answers(self):
        build = os.environ["ANABRANCH_BUILD"]
        self.assertLessEqual(len((program.ROOT / "examples/ask.cc").read_text().splitlines()), 40)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for command in (
                    ["cmake", "--install", build, "--prefix", folder / "prefix"],
                    ["cmake", "-S", program.ROOT / "examples", "-B", folder / "ask", "-G", "Ninja",
                     f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}", "-DCMAKE_BUILD_TYPE=Release"],
                    ["cmake", "--build", folder / "ask"]):
                done = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                                      check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertTrue((folder / "prefix/bin/anabranch").exists())

            book = folder / "book.txt"
            book.write_text("The train to Innsbruck leaves from platform 17 every morning. "
                            + "The sea was calm and the gulls slept on the harbour wall. " * 150)
            asked = subprocess.run(
                [folder / "ask/ask", program.ROOT / program.MODEL,
                 program.ROOT / "models/all-MiniLM-L6-v2", book,
                 "From which platform does the train to Innsbruck leave?"],
                capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(asked.returncode, 0, asked.stderr)
            self.assertIn("17", asked.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
