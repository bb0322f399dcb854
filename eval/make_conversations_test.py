"""The generator of conversations: what it makes is what its questions are judged by."""
import re
import unittest

import make_conversations

SMALL = {"n_tokens": 6000, "n_facts": 40, "n_negatives": 10}
ANSWERED = ("own", "other", "follow_up")


class MakeConversations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.halves = {half: make_conversations.make(7, half, **SMALL) for half in ("tune", "test")}
        # As dense with facts as can be: their places run out.
        cls.dense = [make_conversations.make(seed, half, n_tokens=1, n_facts=200, n_negatives=1)
                     for half, seed in (("test", 12), ("tune", 27))]

    def test_the_same_arguments_make_the_same_conversation(self):
        self.assertEqual(make_conversations.make(7, "test", **SMALL), self.halves["test"])
        self.assertNotEqual(make_conversations.make(8, "test", **SMALL), self.halves["test"])

    def test_each_group_of_evidence_stands_in_one_message_and_the_newest_last(self):
        for made in [*self.halves.values(), *self.dense]:
            corrected = 0
            for question in made["questions"]:
                self.assertEqual(bool(question["evidence"]), question["kind"] in ANSWERED)
                places = []
                for group in question["evidence"]:
                    holding = [i for i, message in enumerate(made["messages"])
                               if all(text in message["content"] for text in group)]
                    self.assertEqual(len(holding), 1, group)
                    places += holding
                self.assertEqual(places, sorted(places))
                corrected += len(places) == 2
            self.assertGreater(corrected, 0)

    def test_a_follow_up_names_nothing_and_its_previous_turn_does(self):
        for made in self.halves.values():
            follow_ups = [q for q in made["questions"] if q["kind"] == "follow_up"]
            answered = [q for q in made["questions"] if q["kind"] in ANSWERED]
            self.assertAlmostEqual(len(follow_ups) / len(answered), 0.3, delta=0.05)
            for question in follow_ups:
                key = question["evidence"][0][0]
                self.assertNotIn(key, question["turn"])
                self.assertIn(key, question["previous"])

    def test_the_halves_have_no_question_and_no_small_talk_in_common(self):
        def wordings(made):
            keys = {group[0] for q in made["questions"] for group in q["evidence"]}
            return {re.sub("|".join(map(re.escape, sorted(keys, key=len, reverse=True))), "_", q["turn"])
                    for q in made["questions"] if q["kind"] != "unanswerable"}

        self.assertEqual(wordings(self.halves["tune"]) & wordings(self.halves["test"]), set())

    def test_times_go_on_and_both_sides_speak_in_turns(self):
        for made in self.halves.values():
            times = [message["time_ms"] for message in made["messages"]]
            self.assertEqual(times, sorted(times))
            roles = [message["role"] for message in made["messages"]]
            self.assertEqual(roles, ["user", "assistant"] * (len(roles) // 2))


if __name__ == "__main__":
    unittest.main()
