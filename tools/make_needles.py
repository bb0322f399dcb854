#!/usr/bin/env python3
"""Makes needle-in-a-haystack conversations in the seed's format: a JSON list of {role, content}.

The haystack is the King James Bible (Debian package bible-kjv, public domain) in user turns of about
1,000 tokens; one sentence, the needle, stands at a depth of it; the last turn asks for it. Depth rule as in
needlehaystack: the needle goes to the depth's percentage of the text, back to the previous full
stop; at 100 % it ends the text.

    tools/make_needles.py [--out data] [--length 6000 ...] [--depth 50 ...]

writes OUT/prompt_context_length_LENGTH_depth_percentDEPTH.json and beside each a .expect file with
the text that an answer must hold. The same arguments make the same bytes.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

# Characters per token of SmolLM2's tokenizer on this text, measured on its first 200,000.
CHARS_PER_TOKEN = 4.25
TURN_TOKENS = 1000
SYSTEM = "You are a helpful assistant. You answer questions about what the user told you."

# (needle, question, what the answer must hold)
NEEDLES = [
    ("The best thing to do in San Francisco is to eat a sandwich in Dolores Park on a sunny day.",
     "What is the best thing to do in San Francisco?", "Dolores Park"),
    ("The ferry to the island of Vis is called the Silver Heron.",
     "What is the ferry to the island of Vis called?", "Silver Heron"),
    ("My sister Clara works as a glassblower in Lisbon.",
     "What does my sister Clara do for a living?", "glassblower"),
    ("The train to Innsbruck leaves from platform 17 every morning.",
     "From which platform does the train to Innsbruck leave?", "17"),
]


def read_haystack() -> str:
    """The whole text as prose: a chapter per paragraph, without verse numbers and headings."""
    try:
        raw = subprocess.run(["bible", "gen1:1-rev22:21"], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        sys.exit("make_needles: needs the program 'bible'; run script/bootstrap")
    chapters, verses = [], []
    for line in raw.splitlines():
        if re.fullmatch(r"\S.* \d+", line) and not line.startswith(" "):
            chapters.append(" ".join(verses))
            verses = []
        elif line.strip():
            verses.append(re.sub(r"^\s*\d+\s+", "", line).strip())
    chapters.append(" ".join(verses))
    return "\n".join(chapter for chapter in chapters if chapter)


def cut_at_stop(text: str, at: int) -> int:
    """The end of the last sentence that ends at or before `at`."""
    stop = text.rfind(". ", 0, at)
    return 0 if stop < 0 else stop + 2


def make_case(haystack: str, length: int, depth: int, number: int) -> tuple[list[dict], str]:
    needle, question, expect = NEEDLES[number % len(NEEDLES)]
    begin = cut_at_stop(haystack, number * 40_000 % len(haystack)) if number else 0
    text = haystack[begin:begin + int(length * CHARS_PER_TOKEN) - len(needle)]
    text = text[:cut_at_stop(text, len(text))].rstrip()
    if depth >= 100:
        text = f"{text} {needle}"
    else:
        at = cut_at_stop(text, len(text) * depth // 100)
        text = f"{text[:at]}{needle} {text[at:]}"

    turn_chars = int(TURN_TOKENS * CHARS_PER_TOKEN)
    messages = [{"role": "system", "content": SYSTEM}]
    while text:
        at = len(text) if len(text) < 1.5 * turn_chars else cut_at_stop(text, turn_chars)
        messages.append({"role": "user", "content": text[:at].strip()})
        text = text[at:]
    messages.append({"role": "user", "content": question})
    return messages, expect


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("data"))
    parser.add_argument("--length", type=int, nargs="+", default=[6000], help="tokens")
    parser.add_argument("--depth", type=int, nargs="+", default=[50], help="per cent")
    args = parser.parse_args()

    haystack = read_haystack()
    args.out.mkdir(parents=True, exist_ok=True)
    number = 0
    for length in args.length:
        for depth in args.depth:
            messages, expect = make_case(haystack, length, depth, number)
            stem = args.out / f"prompt_context_length_{length}_depth_percent{depth}"
            stem.with_suffix(".json").write_text(
                json.dumps(messages, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            stem.with_suffix(".expect").write_text(expect + "\n", encoding="utf-8")
            number += 1


if __name__ == "__main__":
    main()
