"""What a kind of fact is, and how its values are drawn."""
import dataclasses
import random
from typing import Callable

import vocabulary as words

Values = list[str] | Callable[[random.Random], str]


@dataclasses.dataclass(frozen=True)
class Kind:
    """Wordings of one kind of fact, in the notation of grammar.py.

    `<v>` is the value that is asked for. `key` names the slot that tells the facts of a kind apart;
    each value of it is used once. `tell2` says the fact in two sentences, the key in the first and
    the value in the second. `fix` tells a new value. `other` asks in other words than `own`;
    `follow` names nothing, right after the user's turn `lead` named it. `nothing` asks for
    something that was never said.
    """
    name: str
    key: str
    slots: dict[str, Values]
    value: Values
    tell: list[str]
    tell2: list[str]
    fix: list[str]
    own: list[str]
    other: list[str]
    lead: list[str]
    follow: list[str]
    nothing: list[str]


def pronouns(name: str) -> dict[str, str]:
    woman = name in words.WOMEN
    return {"he": "she" if woman else "he", "him": "her" if woman else "him",
            "his": "her" if woman else "his", "He": "She" if woman else "He",
            "sibling": "sister" if woman else "brother", "child": "daughter" if woman else "son",
            "spouse": "wife" if woman else "husband"}


def number(low: int, high: int, step: int = 1) -> Values:
    return lambda rng: str(rng.randrange(low, high, step))


def clock(rng: random.Random) -> str:
    return f"{rng.randrange(6, 22)}:{rng.randrange(5, 60, 5):02d}"


def date(rng: random.Random) -> str:
    return f"{rng.choice(words.MONTHS)} {rng.randrange(1, 29)}"


def weekday_at(rng: random.Random) -> str:
    return f"{rng.choice(words.WEEKDAYS)} at {clock(rng)}"


def code(rng: random.Random) -> str:
    letters = "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(3))
    return f"{letters}-{rng.randrange(1000, 9999)}"


def pin(rng: random.Random) -> str:
    return str(rng.randrange(1000, 9999))


def password(rng: random.Random) -> str:
    animal = rng.choice("otter walrus magpie lizard beaver ferret gannet".split())
    return f"{animal}{rng.randrange(1000, 9999)}"


def address(rng: random.Random) -> str:
    return f"{rng.randrange(2, 120)} {rng.choice(words.STREETS)}"


def price(rng: random.Random) -> str:
    return f"{rng.randrange(40, 1900, 5)} euros"


def race_time(rng: random.Random) -> str:
    return f"{rng.randrange(2, 6)} hours and {rng.randrange(2, 59)} minutes"


def bay(rng: random.Random) -> str:
    return f"{rng.choice('ABCDEFGH')}{rng.randrange(11, 99)}"


def seat(rng: random.Random) -> str:
    return f"{rng.randrange(3, 42)}{rng.choice('ABCDEF')}"
