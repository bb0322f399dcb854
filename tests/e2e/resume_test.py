"""A file that is read into a stream: what has turns already needs --append or --resume-file, and
reading that was interrupted anywhere goes on where it ended."""
import base64
import json
import pathlib
import random
import signal
import subprocess
import tempfile
import time
import unittest

import program
from program import MODEL, of_type, run, run_json

SIZES = ("-m", MODEL, "-t", 1, "--enable-streaming", "--recent-size", 128, "--enable-retriever",
         "-n", 2)
# Characters of one to four bytes, which the tokenizer mostly cuts into bytes.
TEXT = " ".join(f"On day {i} the ferry \"Grüße 渡し船 𐍈{i}\" crossed the bay to 東京, said Søren 🚢."
                for i in range(60))


class ResumeFile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.memory = self.folder / "memory.db"
        self.file = self.folder / "book.txt"
        self.file.write_text(TEXT, encoding="utf-8")

    def read(self, *args, **kwargs):
        return run_json("run", *SIZES, "--memory", self.memory, "-f", self.file,
                        "-p", "Say yes.", *args, **kwargs)

    def journalled(self, stream="default"):
        """What the stream has of files, as the journal's records have it."""
        process = run("memory", "export", "--memory", self.memory, "--stream", stream, "-")
        self.assertEqual(process.returncode, 0, process.stderr)
        records = [record for record in map(json.loads, process.stdout.splitlines())
                   if record["type"] == "record" and "source" in record]
        return b"".join(base64.b64decode(record["text_b64"]) if "text_b64" in record
                        else record.get("text", "").encode() for record in records)

    def stop(self, after_s, how):
        """Reads on, and stops it after a while. True: it was stopped."""
        resume = ["--resume-file"] if self.memory.exists() else []
        command = [program.PROGRAM, "run", *map(str, SIZES), "--memory", self.memory, "-f",
                   self.file, "-p", "Say yes.", *resume]
        process = subprocess.Popen(command, cwd=program.ROOT, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            _, errors = process.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(how)
            _, errors = process.communicate()
        stopped = process.returncode == (130 if how == signal.SIGINT else -how)
        self.assertTrue(stopped or process.returncode == 0, errors)
        return stopped

    def test_reading_that_was_stopped_anywhere_goes_on_there(self):
        begin = time.monotonic()
        process, _ = self.read("--stream", "whole")
        whole_s = time.monotonic() - begin
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(self.journalled("whole"), TEXT.encode())
        self.memory.unlink()
        instants = random.Random(1)
        stopped = inside = 0
        for i in range(12):  # each goes on where the one before was stopped
            stopped += self.stop(instants.uniform(0, whole_s / 2),
                                 signal.SIGINT if i % 2 else signal.SIGKILL)
            if not self.memory.exists():
                continue
            kept = self.journalled()
            self.assertTrue(TEXT.encode().startswith(kept), kept[-100:])
            kept.decode()  # no character was cut
            inside += 0 < len(kept) < len(TEXT.encode())
        process, lines = self.read("--resume-file")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(len(of_type(lines, "turn")), 1)
        self.assertEqual(self.journalled(), TEXT.encode())
        self.assertGreater(stopped, 0)
        self.assertGreater(inside, 0)
        verified, lines = run_json("memory", "verify", "--memory", self.memory)
        self.assertEqual(verified.returncode, 0, lines)
        # All was read: nothing is read again.
        process, _ = self.read("--resume-file")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(self.journalled(), TEXT.encode())

    def test_a_stream_with_turns_takes_a_file_only_when_it_is_told_how(self):
        self.file.write_text("The ferry is called Grüße.", encoding="utf-8")
        process, _ = self.read("--append")  # a new stream, too
        self.assertEqual(process.returncode, 0, process.stderr)
        once = self.journalled()
        self.assertEqual(once.decode(), "The ferry is called Grüße.")
        for stdin in (None, "A pipe."):
            args = () if stdin is None else ("-f", "-")
            process, lines = self.read(*args, stdin=stdin)
            self.assertEqual(process.returncode, 1)
            error, = of_type(lines, "error")
            for word in ("--append", "--resume-file"):
                self.assertIn(word, error["remedy"])
        process, lines = self.read("--append", "--resume-file")
        self.assertEqual(process.returncode, 1)
        self.assertIn("--resume-file", of_type(lines, "error")[0]["fault"])
        self.assertEqual(self.journalled(), once)
        process, _ = self.read("--append")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(self.journalled(), once * 2)
        self.file.write_text("The ferry is called Grusse.", encoding="utf-8")
        process, lines = self.read("--resume-file")
        self.assertEqual(process.returncode, 1)
        self.assertIn("changed", of_type(lines, "error")[0]["fault"])
        self.assertEqual(self.journalled(), once * 2)

    def test_cold_reads_the_pinned_part_alone(self):
        process, lines = self.read()
        self.assertEqual(process.returncode, 0, process.stderr)
        end = of_type(lines, "remembered")[-1]["end"]
        for resume, reads_again in (("window", True), ("cold", False)):
            process, lines = run_json("run", *SIZES, "--memory", self.memory, "-p", "Say yes.",
                                      "--resume", resume)
            self.assertEqual(process.returncode, 0, process.stderr)
            turn, = of_type(lines, "turn")
            self.assertEqual(turn["window"][0] < end, reads_again, turn)
            end = of_type(lines, "remembered")[-1]["end"]


if __name__ == "__main__":
    unittest.main(verbosity=2)
