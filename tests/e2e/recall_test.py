"""Recall on a long conversation, with the real embedder: a line below which it must not fall. The
whole table, of longer conversations, is in docs/recall.md (eval/ablation.py)."""
import pathlib
import subprocess
import tempfile
import unittest

import program


class Recall(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "conversation.json"
            subprocess.run([program.ROOT / "eval/make_conversations.py", "--half", "test", "--seed", "21",
                            "--tokens", "20000", "--facts", "80", "--negatives", "50", "--out", path],
                           check=True)
            process, lines = program.run_json("eval", "recall", path, "--arms", "undecided,default",
                                              "--budgets", "400")
        if process.returncode != 0:
            raise AssertionError(process.stderr)
        cls.rows = {(row["arm"], row["measure"]): row for row in program.of_type(lines, "recall")}
        for row in cls.rows.values():
            print(row["arm"], row["measure"], row["n"], round(row["share"], 3), round(row["tokens"]))

    def share(self, arm, measure):
        row = self.rows[arm, measure]
        self.assertGreaterEqual(row["n"], 10, row)
        return row["share"]

    def test_finds_the_answers(self):
        self.assertGreaterEqual(self.share("undecided", "answer"), 0.95)
        self.assertGreaterEqual(self.share("undecided", "answer follow_up"), 0.90)
        self.assertGreaterEqual(self.share("undecided", "answer two_sentences"), 0.90)
        self.assertGreaterEqual(self.share("undecided", "both corrected"), 0.90)

    def test_the_decision_costs_few_answers_and_spares_small_talk(self):
        lost = self.share("undecided", "answer") - self.share("default", "answer")
        self.assertLessEqual(lost, 0.03)
        self.assertLessEqual(self.share("default", "recall greeting"), 0.02)
        self.assertLessEqual(self.share("default", "recall small_talk"), 0.10)

    def test_hands_over_no_more_than_was_asked_for(self):
        for (_, measure), row in self.rows.items():
            self.assertLessEqual(row["tokens"], 400, measure)


if __name__ == "__main__":
    unittest.main()
