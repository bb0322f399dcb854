"""A disk that is full: the answer is given, memory is said to be degraded, and nothing is spoilt."""
import json
import pathlib
import resource
import subprocess
import tempfile
import unittest

import program
from program import MODEL, of_type, run, run_json

SIZES = ("-m", MODEL, "--enable-streaming", "--recent-size", 256, "--enable-retriever", "-n", 8)
STORY = " ".join(f"On day {i} Ada counted {i * 3} boats on the river." for i in range(150))


def run_in(n_bytes, *args, stdin):
    """Runs where no file may grow beyond so many bytes."""
    return subprocess.run(
        [program.PROGRAM, *map(str, args)], cwd=program.ROOT, input=stdin, capture_output=True,
        text=True, timeout=program.TIMEOUT_S, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes)))


class FullDisk(unittest.TestCase):
    def test_the_stream_goes_on_and_says_what_is_not_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            memory = pathlib.Path(folder) / "memory.db"
            process = run("run", *SIZES, "--memory", memory, "-p", "My locker is number 481.")
            self.assertEqual(process.returncode, 0, process.stderr)
            command = ("run", *SIZES, "--memory", memory, "-p", "Which locker is mine?")
            process = run_in(200_000, *command, "--json", stdin=STORY)
            self.assertEqual(process.returncode, 1, process.stderr)
            lines = [json.loads(line) for line in process.stdout.splitlines()]
            turn, = of_type(lines, "turn")
            self.assertTrue(turn["answer"])
            self.assertIn("memory.db", turn["recall_fault"])
            error, = of_type(lines, "error")
            self.assertEqual(error["what"], "memory")
            self.assertIn("is not in it", error["fault"])
            self.assertEqual(lines[-1]["type"], "summary")
            kept = max([0] + [line["end"] for line in of_type(lines, "remembered")])
            self.assertLess(kept, turn["window"][1])

            process = run_in(200_000, *command, "--stream", "other", stdin=STORY)
            self.assertEqual(process.returncode, 1, process.stderr)
            self.assertTrue(process.stdout.strip())
            self.assertIn("memory is degraded", process.stderr)
            self.assertIn("is not in it", process.stderr)

            verified, lines = run_json("memory", "verify", "--memory", memory)
            self.assertEqual(verified.returncode, 0, lines)
            ends = {stream["stream"]: stream["end"] for stream in lines[0]["streams"]}
            self.assertGreaterEqual(ends["default"], kept)
            process, lines = run_json(*command, "--resume", "cold")
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertIn("481", " ".join(p["text"] for p in of_type(lines, "turn")[0]["recalled"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
