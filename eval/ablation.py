#!/usr/bin/env python3
"""Compares ways to recall, and writes the tables of docs/recall.md.

Makes the conversations of both halves (make_conversations.py), asks the first one in all ways
(anabranch eval recall) and all of them in the ways that matter most, and puts the results between
the markers of docs/recall.md. What was asked before is kept in --out and not asked again: after an
interruption, run it again. It takes half an hour of an idle core.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
CONVERSATIONS = {"tune": (1, 2, 3, 4, 5, 6, 7, 8), "test": (11, 12, 13, 14, 15, 16)}
ANSWERED = ("own", "other", "follow_up")
# The arms of the curve: what the decision costs, and what it spares.
DECISION = re.compile(r"undecided|default|beats-|small-talk-|no-small-talk|cosine-")
BUDGETS = (100, 200, 400, 800)
# Asked of all conversations; the others of the first one alone, by which choices are made.
KEPT = ("undecided", "default", "seed-100")


def conversation_files(folder):
    for half, seeds in CONVERSATIONS.items():
        for seed in seeds:
            path = folder / f"{half}-{seed}.json"
            if not path.exists():
                subprocess.run([HERE / "make_conversations.py", "--half", half, "--seed", str(seed),
                                "--out", path], check=True)
            yield path


def ask(program, out, files, arms, budgets):
    subprocess.run([program, "eval", "recall", *files, "--arms", arms, "--out", out,
                    "--budgets", ",".join(map(str, budgets)), "--quiet"],
                   check=True, stdout=subprocess.DEVNULL, cwd=ROOT)


def share(cases, hits):
    cases = list(cases)
    return f"{100 * sum(map(hits, cases)) / len(cases):.1f}" if cases else ""


def measures(cases):
    """The cells of one row: of one arm, one budget and one half."""
    answered = [case for case in cases if case["kind"] in ANSWERED]
    found = lambda case: case["held"][-1]
    recalled = lambda case: case["recalled"]
    corrected = [case for case in answered if len(case["held"]) > 1]
    of_kind = lambda kind: [case for case in cases if case["kind"] == kind]
    times = sorted(case["ms"] for case in answered)
    return [share(answered, found), *(share(of_kind(kind), found) for kind in ANSWERED),
            share(corrected, lambda case: all(case["held"]) and case["in_order"]),
            *(share(of_kind(kind), recalled) for kind in ("greeting", "small_talk", "unanswerable")),
            f"{sum(case['tokens'] for case in answered) / len(answered):.0f}",
            f"{times[len(times) // 2]:.1f}"]


HEADS = ["answer", "own words", "other words", "follow-ups", "both corrected", "greetings",
         "small talk", "unanswerable", "tokens", "ms"]


def table(heads, rows):
    lines = ["| " + " | ".join(row) + " |" for row in [heads, *rows]]
    lines.insert(1, "| " + " | ".join("---:" if head in HEADS else "---" for head in heads) + " |")
    return "\n".join(lines)


def tables(cases, arms):
    """{marker: text} of the tables."""
    def row(arm, conversations, budget, *names):
        chosen = [case for case in cases if case["arm"] == arm and case["budget"] == budget
                  and case["conversation"].startswith(conversations)]
        asked = sum(case["arm"] == "default" and case["budget"] == 400
                    and case["conversation"].startswith(conversations) for case in cases)
        return [*names, *measures(chosen)] if len(chosen) == asked else None  # all of them, or none

    def rows(each):
        return [made for made in each if made]

    what = {arm["arm"]: arm["what"] for arm in arms}
    first = "tune-" + str(CONVERSATIONS["tune"][0])
    return {
        "halves": table(["arm", "half", *HEADS],
                        rows(row(arm, half, 400, f"`{arm}`", half) for arm in KEPT for half in CONVERSATIONS)),
        "arms": table(["arm", "", *HEADS[:5], "tokens", "ms"],
                      [made[:7] + made[10:] for made in
                       rows(row(arm, first, 400, f"`{arm}`", what[arm]) for arm in what
                            if arm == "undecided" or not DECISION.match(arm))]),
        "budgets": table(["arm", "budget", *HEADS],
                         rows(row(arm, "test", budget, f"`{arm}`", str(budget))
                              for arm in KEPT for budget in BUDGETS)),
        "decision": table(["arm", "", *HEADS],
                          rows(row(arm, first, 400, f"`{arm}`", what[arm]) for arm in what
                               if DECISION.match(arm))),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/anabranch")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/eval/cases.jsonl")
    parser.add_argument("--tables-only", action="store_true", help="of what was asked before")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    listed = subprocess.run([args.program, "eval", "recall", "--list-arms", "--json"], check=True,
                            capture_output=True, text=True).stdout
    arms = [json.loads(line) for line in listed.splitlines()]
    if not args.tables_only:
        files = list(conversation_files(args.out.parent))
        ask(args.program, args.out, files, ",".join(KEPT), (400,))
        ask(args.program, args.out, files[:1], "all", (400,))
        ask(args.program, args.out, [f for f in files if f.name.startswith("test")], ",".join(KEPT), BUDGETS)
    cases = [json.loads(line) for line in args.out.read_text(encoding="utf-8").splitlines()]
    page = ROOT / "docs/recall.md"
    text = page.read_text(encoding="utf-8")
    for name, made in tables(cases, arms).items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if begin not in text or end not in text:
            sys.exit(f"ablation: docs/recall.md has no place for the table '{name}'")
        text = text[:text.index(begin) + len(begin)] + made + "\n" + text[text.index(end):]
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
