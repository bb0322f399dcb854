#!/usr/bin/env python3
"""Makes long conversations with facts in them, and questions for `anabranch eval recall`.

    eval/make_conversations.py --seed 11 --out build/eval/test-11.json

A conversation is talk on many subjects, two fifths of it prose (the King James Bible, Debian package
bible-kjv) that the user shares, with facts of many kinds told by either side: some over two
sentences, some corrected later, some asked about before, some answered wrongly by the assistant.
The same arguments make the same bytes. --half tune and --half test have no kind of fact, question,
greeting or small talk in common: what was tuned on one is reported on the other.

Writes one JSON object (docs/recall.md):
  messages   [{role, content, time_ms}]
  questions  [{id, kind, traits, previous, turn, evidence}]; kind: own, other, follow_up (answered by
             a passage that holds all texts of an evidence group; a corrected fact has two, the
             newest last), greeting, small_talk, unanswerable (nothing to recall: no evidence)
"""
import argparse
import json
import pathlib
import random
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "conversation"), str(HERE.parent / "tools")]

import facts_test  # noqa: E402
import facts_tune  # noqa: E402
import filler  # noqa: E402
import kinds  # noqa: E402
import make_needles  # noqa: E402
import small_talk  # noqa: E402
from grammar import expand  # noqa: E402

CHARS_PER_TOKEN = 4.25  # of SmolLM2's tokenizer on such text
PROSE_SHARE = 0.4      # of the characters
START_MS = 1_704_700_800_000  # 2024-01-08
ASIDES = ["Please be brief.", "Just a short answer, please.", "I forgot.", "Do you remember?",
          "A word will do.", "You know I always forget these things."]
OPENINGS = ["Tell me.", "Quick question.", "I was just wondering.", "Sorry to bother you again.",
            "Help me out here.", "Now to something practical."]


class Fact:
    """One fact: how it was told, perhaps corrected, and what it is asked by."""

    def __init__(self, rng, kind, key, number):
        self.rng, self.kind, self.number = rng, kind, number
        self.slots = {name: rng.choice(values) if isinstance(values, list) else values(rng)
                      for name, values in kind.slots.items()}
        self.slots[kind.key] = key
        while len(set(self.slots.values())) < len(self.slots):  # nobody marries himself
            for name in self.slots.keys() - {kind.key}:
                self.slots[name] = rng.choice(kind.slots[name])
        if "name" in kind.slots:
            self.slots |= kinds.pronouns(self.slots["name"])
        self.key = key
        self.value = self.draw_value(set(self.slots.values()))
        self.by_assistant = rng.random() < 0.4
        self.traits = ["by_assistant" if self.by_assistant else "by_user"]
        self.two = rng.random() < 0.3
        if self.two:
            self.traits.append("two_sentences")
        self.new_value = self.wrong_value = None
        fate = rng.random()
        if fate < 0.2:
            self.new_value = self.draw_value({self.value, *self.slots.values()})
            self.traits.append("corrected")
        elif fate < 0.4 and not self.by_assistant:
            self.wrong_value = self.draw_value({self.value, *self.slots.values()})
            self.traits.append("answered_wrongly")
        elif fate < 0.5:
            self.traits.append("asked_before")

    def draw_value(self, taken):
        values = self.kind.value
        while True:
            value = self.rng.choice(values) if isinstance(values, list) else values(self.rng)
            if value not in taken:
                return value

    def say(self, wordings, value=None, by_assistant=False):
        return expand(self.rng, self.rng.choice(wordings), {**self.slots, "v": value or self.value},
                      by_assistant)

    def events(self):
        """[(position in 0..1, role, text)], in order."""
        rng = self.rng
        at = rng.random()
        told = self.say(self.kind.tell2 if self.two else self.kind.tell, None, self.by_assistant)
        events = [(at, "assistant" if self.by_assistant else "user", told)]
        if self.new_value:
            by_assistant = rng.random() < 0.25
            events.append((at + (1 - at) * rng.uniform(0.05, 1), "assistant" if by_assistant else "user",
                           self.say(self.kind.fix, self.new_value, by_assistant)))
        if self.wrong_value:
            wrong = "I think it is this: " + self.say(self.kind.tell, self.wrong_value, True)
            events.append((rng.random(), "both", (self.say(self.kind.own), wrong)))
        if "asked_before" in self.traits:
            events.append((rng.random(), "both",
                           (self.say(self.kind.own), rng.choice(filler.IGNORANCE))))
        return sorted(events, key=lambda event: event[0])

    def evidence(self):
        values = [self.value] + ([self.new_value] if self.new_value else [])
        return [[self.key, value] for value in values]


class Talk:
    """Filler, sentence by sentence."""

    def __init__(self, rng):
        self.rng = rng
        self.topic, self.left = None, 0
        prose = make_needles.read_haystack()
        self.verses = re.split(r"(?<=[.?!]) ", prose.replace("\n", " "))
        self.verse = rng.randrange(len(self.verses) // 2)

    def fill(self, text):
        """The text with a choice made in each `{…|…}` and a word in each `<…>`, anew for each."""
        while "{" in text or "<" in text:
            text = expand_choices(self.rng, text)
            text = re.sub(r"<(\w+)>", lambda match: self.rng.choice(filler.SLOTS[match[1]]), text)
        return expand(self.rng, text.replace("..", "."), {})

    def next_topic(self):
        if self.left <= 0:
            self.topic = self.rng.choice(sorted(filler.TOPICS))
            self.left = self.rng.randrange(3, 9)
        self.left -= 1

    def prose(self):
        n = self.rng.randrange(6, 14)
        self.verse = (self.verse + n) % (len(self.verses) - 20)
        return self.rng.choice(filler.READING) + " " + " ".join(self.verses[self.verse:self.verse + n])

    def message(self, side):
        """Sentences of one side: on the subject, and a story or a maxim now and then."""
        templates = filler.TOPICS[self.topic][side]
        n = self.rng.randrange(1, 5)
        sentences = self.rng.sample(templates, min(n, len(templates)))
        parts = filler.MAXIMS if side else filler.STORIES
        for i in range(len(sentences)):
            if self.rng.random() < 0.45:
                sentences[i] = "".join([f"{self.rng.choice(parts[0])} {self.rng.choice(parts[1])}",
                                        self.rng.choice(parts[2])])
        if side:
            sentences.insert(0, self.rng.choice(filler.REMARKS))
        return [self.fill(each) for each in sentences if each]

    def user_turn(self):
        self.next_topic()
        return " ".join(self.message(0))


def expand_choices(rng, text):
    while "{" in text:
        text = re.sub(r"\{([^{}]*)\}", lambda match: rng.choice(match[1].split("|")), text)
    return text


def make_facts(rng, half, count):
    table = facts_tune.KINDS if half == "tune" else facts_test.KINDS
    facts, untold = [], []
    per_kind = -(-count // len(table))
    for kind in table:
        keys = list(dict.fromkeys(kind.slots[kind.key]))
        rng.shuffle(keys)
        if len(keys) <= per_kind:
            sys.exit(f"make_conversations: kind {kind.name} has no more than {len(keys)} facts")
        facts += [(kind, key) for key in keys[:per_kind]]
        untold += [(kind, key) for key in keys[per_kind:]]
    rng.shuffle(facts)
    return [Fact(rng, kind, key, i) for i, (kind, key) in enumerate(facts[:count])], untold


def make_messages(rng, talk, facts, n_tokens):
    events = [event for fact in facts for event in fact.events()]
    events.sort(key=lambda event: event[0])
    target = n_tokens * CHARS_PER_TOKEN
    chars = sum(len(event[2]) if isinstance(event[2], str) else sum(map(len, event[2]))
                for event in events) + 12 * len(events)
    exchanges, prose = [], 0
    while chars < target or len(exchanges) < 2 * len(events):
        talk.next_topic()
        user, assistant = talk.message(0), talk.message(1)
        if prose < PROSE_SHARE * chars and chars < target:
            user.append(talk.prose())
            prose += len(user[-1])
        exchanges.append((user, assistant))
        chars += sum(map(len, user)) + sum(map(len, assistant))
    i = -1
    for n, (at, role, text) in enumerate(events):
        # In order, each in an exchange of its own, with one left for each that comes.
        i = min(max(int(at * len(exchanges)), i + 1), len(exchanges) - len(events) + n)
        user, assistant = exchanges[i]
        if role == "both":
            user.append(text[0])
            assistant.insert(0, text[1])
            continue
        said, opening = (user, filler.PASSING_ON) if role == "user" else (assistant, filler.KEEPING)
        said.insert(rng.randrange(len(said) + 1), f"{rng.choice(opening)} {text}".strip())
    messages, time = [], START_MS
    for user, assistant in exchanges:
        time += rng.choice([60_000, 300_000, 3_600_000, 40_000_000])
        messages.append({"role": "user", "content": " ".join(user), "time_ms": time})
        time += rng.randrange(2_000, 20_000)
        messages.append({"role": "assistant", "content": " ".join(assistant), "time_ms": time})
    return messages


def dress(rng, talk, question):
    """A question as people ask it: alone, behind some talk, or with an aside."""
    dice = rng.random()
    if dice < 0.15:
        return f"{rng.choice(OPENINGS)} {question}"
    if dice < 0.3:
        return f"{talk.user_turn()} {question}"
    if dice < 0.45:
        return f"{question} {rng.choice(ASIDES)}"
    return question


def fact_questions(rng, talk, fact):
    base = {"traits": [fact.kind.name, *fact.traits], "evidence": fact.evidence()}
    for kind, wordings in (("own", fact.kind.own), ("other", fact.kind.other)):
        yield {"id": f"{fact.number:03d}-{kind}", "kind": kind, **base,
               "previous": talk.user_turn(), "turn": dress(rng, talk, fact.say(wordings))}
    if rng.random() < 6 / 7:  # 30 % of all questions that have an answer
        lead = fact.say(fact.kind.lead)
        previous = lead if rng.random() < 0.7 else f"{talk.user_turn()} {lead}"
        yield {"id": f"{fact.number:03d}-follow_up", "kind": "follow_up", **base,
               "previous": previous, "turn": fact.say(fact.kind.follow)}


def negative_questions(rng, talk, facts, untold, half, count):
    greetings, talks = ((small_talk.GREETINGS_TUNE, small_talk.SMALL_TALK_TUNE) if half == "tune" else
                        (small_talk.GREETINGS_TEST, small_talk.SMALL_TALK_TEST))
    for kind, turns in (("greeting", greetings), ("small_talk", talks)):
        for i, turn in enumerate(turns[:count]):
            yield {"id": f"{kind}-{i:03d}", "kind": kind, "traits": [], "previous": talk.user_turn(),
                   "turn": turn, "evidence": []}
    for i in range(count):
        if i % 2:
            fact = rng.choice(facts)
            turn = fact.say(fact.kind.nothing)
        else:
            kind, key = rng.choice(untold)
            turn = Fact(rng, kind, key, 0).say(kind.own)
        yield {"id": f"unanswerable-{i:03d}", "kind": "unanswerable",
               "traits": ["attribute_never_told" if i % 2 else "subject_never_told"],
               "previous": talk.user_turn(), "turn": turn, "evidence": []}


def is_told_once(fact, messages):
    """True if no other message could pass for one that tells it."""
    return all(sum(all(text in message["content"] for text in group) for message in messages) == 1
               for group in fact.evidence())


def make(seed, half, n_tokens, n_facts, n_negatives):
    rng = random.Random(f"{half} {seed}")
    talk = Talk(rng)
    facts, untold = make_facts(rng, half, n_facts)
    messages = make_messages(rng, talk, facts, n_tokens)
    questions = [question for fact in facts for question in fact_questions(rng, talk, fact)
                 if is_told_once(fact, messages)]
    questions += negative_questions(rng, talk, facts, untold, half, n_negatives)
    return {"format": "anabranch-conversation", "version": 1, "name": f"{half}-{seed}",
            "messages": messages, "questions": questions}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--half", choices=["tune", "test"], default="test")
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--facts", type=int, default=200)
    parser.add_argument("--negatives", type=int, default=100, help="of each kind, at most")
    args = parser.parse_args()
    conversation = make(args.seed, args.half, args.tokens, args.facts, args.negatives)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(conversation, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
