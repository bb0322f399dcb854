"""Needles in conversations longer than the window, on the real models: what streaming alone cannot
answer, recall answers; and what is no question recalls nothing."""
import collections
import json
import pathlib
import tempfile
import unittest

import program

RECENT_SIZE = 1024
LENGTHS = (2000, 4000, 8000)
DEPTHS = (0, 33, 66, 100)


class Needle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Reads each conversation once and asks its question of three forks."""
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        data = pathlib.Path(cls.folder.name)
        program.make_needles(data, LENGTHS, DEPTHS)
        cls.arms = collections.defaultdict(list)
        for case in sorted(data.glob("*.json")):
            expect = case.with_suffix(".expect").read_text(encoding="utf-8").strip()
            process, lines = program.run_json("demo", "-f", case, "--expect", expect,
                                              "--recent-size", RECENT_SIZE, "--small-talk",
                                              "Thank you, that helps a lot!")
            if process.returncode != 0:
                raise AssertionError(process.stderr)
            for line in program.of_type(lines, "arm"):
                cls.arms[line["arm"]].append({**line, "case": case.stem})
                print(json.dumps(cls.arms[line["arm"]][-1]))

    def test_streaming_alone_finds_only_what_is_still_in_its_context(self):
        self.assertEqual(len(self.arms["streaming"]), len(LENGTHS) * len(DEPTHS))
        for line in self.arms["streaming"]:
            if not line["needle_in_context"]:
                self.assertFalse(line["found"], line)
        self.assertLessEqual(sum(line["needle_in_context"] for line in self.arms["streaming"]), 4)

    def test_recall_of_evicted_text_answers_11_of_12(self):
        self.check_recall("evicted")

    def test_recall_of_everything_answers_11_of_12(self):
        self.check_recall("always")

    def check_recall(self, arm):
        self.assertEqual(len(self.arms[arm]), 12)
        for line in self.arms[arm]:
            self.assertTrue(line["needle_in_context"], line)
        self.assertGreaterEqual(sum(line["found"] for line in self.arms[arm]), 11)

    def test_small_talk_recalls_nothing(self):
        self.assertEqual(len(self.arms["small-talk"]), 12)
        for line in self.arms["small-talk"]:
            self.assertEqual(line["recalled_tokens"], 0, line)


class AskedAgain(unittest.TestCase):
    def test_neither_the_earlier_question_nor_a_wrong_answer_takes_the_needles_place(self):
        with tempfile.TemporaryDirectory() as folder:
            program.make_needles(folder, [4000], [33])
            case, = pathlib.Path(folder).glob("*.json")
            expect = case.with_suffix(".expect").read_text(encoding="utf-8").strip()
            messages = json.loads(case.read_text(encoding="utf-8"))
            question = messages[-1]["content"]
            filler = messages[1:4]
            wrong = {"role": "assistant",
                     "content": question.replace("What is", "I think").replace("?", ": nobody knows.")}
            asked = pathlib.Path(folder) / "asked_again.json"
            asked.write_text(json.dumps([*messages, wrong, *filler, {"role": "user",
                                                                     "content": question}]))
            process, lines = program.run_json("run", "-m", program.MODEL, "-f", asked,
                                              "--enable-streaming", "--enable-retriever",
                                              "--recent-size", RECENT_SIZE, "--answer", "last")
        self.assertEqual(process.returncode, 0, process.stderr)
        turn, = program.of_type(lines, "turn")
        self.assertEqual(turn["recall"], "used")
        self.assertIn(expect, " ".join(passage["text"] for passage in turn["recalled"]))
        self.assertIn(expect.lower(), turn["answer"].lower())


if __name__ == "__main__":
    unittest.main(verbosity=2)
