"""A library of notes, read with `memory add` and asked by the program, as people would."""
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from program import MODEL, PROGRAM, ROOT, of_type, run, run_json

NOTES = {
    "house.md": """---
title: The house on Utsira
---

# The house

The house was built in 1904. Its roof is of slate, and its walls are white.

## Boiler

The boiler stands in the cellar. It is serviced each May by the firm of Amundsen, whose number
is on the door. Its serial number is KB-4711-X, and the guarantee ends in 2031.

## Keys

The spare key hangs behind the barometer in the hall.

```sh
# not a heading: the alarm is set with this
alarm --arm
```
""",
    "garden.markdown": """Garden
======

The pears are ripe in the second week of September. They are stored in the attic.

Bees
----

The hives were painted yellow by Ragnhild. The honey of last year won a silver medal in Bergen.
""",
    "boat.txt": """The boat is called Terna and lies at berth 17 of the inner harbour.

Her engine takes six litres of oil. The winch was bought second hand from a whaler in 1987.
""",
}
PROSE = ("Rain fell on the hills for most of the day. The river carried leaves and small branches to "
         "the sea. A heron stood on the bank and did not move. ")
QUESTIONS = {
    "What is the serial number of the boiler?": ("KB-4711-X", "house.md > The house > Boiler"),
    "Where does the spare key hang?": ("barometer", "house.md > The house > Keys"),
    "Which colour were the hives painted?": ("yellow", "garden.markdown > Garden > Bees"),
    "At which berth does the boat lie?": ("berth 17", "boat.txt"),
}


class Library(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.notes = pathlib.Path(cls.folder.name) / "notes"
        cls.notes.mkdir()
        for name, text in NOTES.items():
            (cls.notes / name).write_text(text)
        # Noise that the facts must be found in.
        (cls.notes / "weather.txt").write_text("\n\n".join(f"Day {i}. " + PROSE for i in range(60)))
        cls.memory = cls.notes.parent / "notes.db"
        process, cls.added = run_json("memory", "add", "-m", MODEL, "--memory", cls.memory,
                                      "--stream", "library", *sorted(cls.notes.iterdir()))
        assert process.returncode == 0, process.stderr

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def ask(self, question, *args):
        process, lines = run_json("run", "-m", MODEL, "--memory", self.memory, "-p", question,
                                  "--enable-streaming", "--recent-size", 512,
                                  "--enable-retriever", "-n", 24, *args)
        self.assertEqual(process.returncode, 0, process.stderr)
        turn, = of_type(lines, "turn")
        return turn

    def test_what_was_added_is_reported(self):
        documents = of_type(self.added, "document")
        self.assertEqual([d["state"] for d in documents], ["added"] * 4)
        summary, = of_type(self.added, "added")
        self.assertEqual(summary["documents"], 4)
        self.assertEqual(summary["turns"], sum(d["turns"] for d in documents))
        self.assertEqual(summary["tokens"], sum(d["tokens"] for d in documents))
        self.assertEqual(summary["tokens"], summary["end"])
        self.assertEqual(summary["indexed"], summary["end"])
        self.assertGreater(summary["units"], 100)
        process, lines = run_json("memory", "verify", "--memory", self.memory)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertTrue(lines[-1]["ok"] and lines[-1]["cut_checked"])

    def test_turns_are_the_files_to_the_byte(self):
        _, turns = run_json("memory", "show", "--memory", self.memory, "--stream", "library")
        text = "".join(turn["text"] for turn in turns)
        files = sorted(self.notes.iterdir())
        self.assertEqual(text, "".join(f"notes/{f.name}\n\n{f.read_text()}" for f in files))

    def test_another_stream_finds_the_facts_and_where_they_are_from(self):
        for i, (question, (fact, source)) in enumerate(QUESTIONS.items()):
            with self.subTest(question):
                turn = self.ask(question, "--recall-from", "library", "--stream", f"talk {i}")
                self.assertEqual(turn["recall"], "used")
                found = [p for p in turn["recalled"] if fact in p["text"]]
                self.assertTrue(found, turn["recalled"])
                self.assertEqual(found[0]["source"], "notes/" + source)
                self.assertEqual(found[0]["stream"], "library")
        self.assertEqual(self.ask("Good morning!", "--recall-from", "library", "--stream",
                                  "greeting")["recalled"], [])

    def test_a_conversation_goes_on_in_the_library_itself(self):
        copy = self.notes.parent / "copy.db"
        copy.write_bytes(self.memory.read_bytes())
        process, lines = run_json("run", "-m", MODEL, "--memory", copy, "--stream", "library",
                                  "--enable-streaming", "--recent-size", 512, "--enable-retriever",
                                  "-p", "What is the serial number of the boiler?", "-n", 24)
        self.assertEqual(process.returncode, 0, process.stderr)
        turn, = of_type(lines, "turn")
        self.assertIn("KB-4711-X", " ".join(p["text"] for p in turn["recalled"]))
        # The window is the end of the last document, then the question.
        self.assertGreater(turn["window"][1] - turn["window"][0], 400)

    def test_another_model_is_refused_before_anything_is_written(self):
        process = run("memory", "add", "-m", "models/gemma-3-270m-q4_k_m.gguf", "--memory",
                      self.memory, "--chat-template", "gemma", "--stream", "library", "README.md")
        self.assertEqual(process.returncode, 1)
        self.assertIn("was written with tokenizer", process.stderr)
        self.assertIn("memory import --retokenize", process.stderr)

    def test_whatever_ends_it_the_same_command_goes_on(self):
        book, memory = self.notes.parent / "book.txt", self.notes.parent / "book.db"
        book.write_text("\n\n".join(f"Day {i}. " + PROSE for i in range(2000)))
        call = ("memory", "add", "-m", MODEL, "--memory", memory, book)
        said = 0
        for how in (signal.SIGKILL, signal.SIGINT):
            errors = self.end_after_some_writes(call, pathlib.Path(f"{memory}-wal"), how)
            if how == signal.SIGINT:
                self.assertIn("was added up to byte", errors)
                self.assertIn("the same command goes on", errors)
            process, lines = run_json("memory", "verify", "--memory", memory)
            self.assertEqual(process.returncode, 0, lines)
            stream, = lines[-1]["streams"]
            self.assertGreater(stream["text_bytes"], said)
            said = stream["text_bytes"]
        process, lines = run_json(*call)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(of_type(lines, "document")[0]["state"], "continued")
        _, turns = run_json("memory", "show", "--memory", memory)
        self.assertEqual("".join(turn["text"] for turn in turns),
                         f"{self.notes.parent.name}/book.txt\n\n" + book.read_text())
        process, _ = run_json("memory", "verify", "--memory", memory)
        self.assertEqual(process.returncode, 0, process.stderr)

    def end_after_some_writes(self, call, log, how):
        """Ends the program by a signal once its write-ahead log has grown; what it said on stderr."""
        def size():
            return log.stat().st_size if log.exists() else 0
        before = size()
        with subprocess.Popen([PROGRAM, *map(str, call)], cwd=ROOT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            while size() < before + 500_000:
                self.assertIsNone(process.poll(), "it ended before it could be interrupted")
                time.sleep(0.01)
            process.send_signal(how)
            _, errors = process.communicate()
        self.assertEqual(process.returncode, 130 if how == signal.SIGINT else -how, errors)
        return errors

    def test_stdin_is_a_document(self):
        memory = self.notes.parent / "piped.db"
        process, lines = run_json("memory", "add", "-", "-m", MODEL, "--memory", memory,
                                  "--format", "markdown", stdin=NOTES["house.md"])
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(of_type(lines, "document")[0]["state"], "added")
        _, lines = run_json("memory", "search", "--memory", memory, "serial number of the boiler")
        self.assertEqual(lines[0]["source"], "stdin > The house > Boiler")


if __name__ == "__main__":
    unittest.main()
