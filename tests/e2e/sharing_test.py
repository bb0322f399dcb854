"""Processes that share one memory file: two write streams of their own, others recall from them."""
import pathlib
import subprocess
import tempfile
import unittest

import program
from program import MODEL, run, run_json

SIZES = ("-m", MODEL, "-t", "1", "--enable-streaming", "--recent-size", "128",
         "--enable-retriever", "-n", "24")


def start(*args, text=""):
    process = subprocess.Popen([program.PROGRAM, *map(str, args), "--json"], cwd=program.ROOT,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdin.write(text)
    process.stdin.close()
    process.stdin = None
    return process


class Sharing(unittest.TestCase):
    def check(self, process, out, errors):
        self.assertEqual(process.returncode, 0, errors)
        for word in ("locked", "busy", "another process", "degraded"):
            self.assertNotIn(word, out + errors)

    def test_two_write_and_a_third_recalls_from_them(self):
        with tempfile.TemporaryDirectory() as folder:
            memory = pathlib.Path(folder) / "memory.db"
            story = {who: " ".join(f"On day {i} {who} counted {i * 3} boats on the river."
                                   for i in range(120)) for who in ("Ada", "Ben")}
            writers = [start("run", *SIZES, "--memory", memory, "--stream", who, "-p",
                             "Tell me a long story about the river.", text=text)
                       for who, text in story.items()]
            asked = used = 0
            while any(process.poll() is None for process in writers):
                reader = run("run", *SIZES, "--memory", memory, "--stream", "asks",
                             "--recall-from", "Ada,Ben", "--json", "-p",
                             "How many boats did Ada count on the river?")
                if "memory list" in reader.stderr + reader.stdout:
                    continue  # one of them has not begun
                self.check(reader, reader.stdout, reader.stderr)
                asked += 1
                used += '"recall":"used"' in reader.stdout
            for process in writers:
                self.check(process, *process.communicate())
            self.assertGreater(asked, 0)
            self.assertGreater(used, 0)
            verified, lines = run_json("memory", "verify", "--memory", memory)
            self.assertEqual(verified.returncode, 0, lines)
            self.assertEqual({stream["stream"] for stream in lines[0]["streams"]},
                             {"Ada", "Ben", "asks"})

    def test_the_second_writer_of_a_stream_is_told_who_holds_it(self):
        with tempfile.TemporaryDirectory() as folder:
            memory = pathlib.Path(folder) / "memory.db"
            holder = subprocess.Popen([program.PROGRAM, "chat", *SIZES, "--memory", str(memory)],
                                      cwd=program.ROOT, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            holder.stdin.write("Say yes.\n")
            holder.stdin.flush()
            self.assertTrue(holder.stdout.read(1))  # the stream is open
            second = run("run", *SIZES, "--memory", memory, "-p", "Say yes.")
            self.assertEqual(second.returncode, 1)
            self.assertIn(f"process {holder.pid} on ", second.stderr)
            self.assertIn("another stream name", second.stderr)
            other = run("run", *SIZES, "--memory", memory, "--stream", "other", "-p", "Say yes.")
            self.assertEqual(other.returncode, 0, other.stderr)
            holder.communicate("/quit\n")
            self.assertEqual(holder.returncode, 0)
            again = run("run", *SIZES, "--memory", memory, "-p", "Say yes.")
            self.assertEqual(again.returncode, 0, again.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
