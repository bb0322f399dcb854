"""A small grammar: `{a|b|c}` is one of its alternatives, `<slot>` a value, `[my]` a word of the speaker.

Words of the speaker are in the first person when the user speaks of himself, in the second when the
assistant tells the user what it knows.
"""
import random
import re

SECOND_PERSON = {"I": "you", "my": "your", "me": "you", "am": "are", "was": "were", "mine": "yours",
                 "we": "you", "our": "your", "us": "you", "have": "have", "myself": "yourself"}
_CHOICE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"<(\w+)>")
_SPEAKER = re.compile(r"\[(\w+)\]")


def expand(rng: random.Random, text: str, slots: dict[str, str], by_assistant: bool = False) -> str:
    while _CHOICE.search(text):
        text = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), text)
    text = _SLOT.sub(lambda match: slots[match[1]], text)

    def speaker(match):
        word = match[1]
        if not by_assistant:
            return word
        second = SECOND_PERSON.get(word) or SECOND_PERSON[word[0].lower() + word[1:]]
        return second if word == "I" or word[0].islower() else second.capitalize()

    text = _SPEAKER.sub(speaker, text)
    return re.sub(r"(^|[.?!] )([a-z])", lambda match: match[1] + match[2].upper(), text)
