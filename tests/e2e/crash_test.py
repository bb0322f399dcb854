"""kill -9 at random instants of reading and of answering: whatever was reported as remembered is
there afterwards, the memory verifies without any repair, and the next run goes on with it."""
import concurrent.futures
import json
import pathlib
import random
import subprocess
import tempfile
import time
import unittest

import program

KILLS, LANES = 200, 2
RUNS_PER_MEMORY = 20  # then a new one: what a run costs must not grow with what is remembered
TEXT = " ".join(f"On day {i} the ferry crossed the bay with {i * 7 % 90} passengers and a dog."
                for i in range(12))


def command(memory):
    return [program.PROGRAM, "run", "--json", "-m", program.MODEL, "-t", "1", "--enable-streaming",
            "--recent-size", "128", "--enable-retriever", "--memory", str(memory), "-n", "128",
            "-p", "Tell me a long story about the ferry, the captain and the dog."]


def remembered(out):
    """The ends that were reported, of whole lines alone."""
    lines = [json.loads(line) for line in out[:out.rfind(b"\n") + 1].splitlines()]
    return [line["end"] for line in program.of_type(lines, "remembered")]


def verify(memory):
    """The verified end of the one stream; an error if anything is wrong."""
    process = subprocess.run([program.PROGRAM, "memory", "verify", "--memory", str(memory), "--json"],
                             cwd=program.ROOT, capture_output=True, check=False)
    report = json.loads(process.stdout.splitlines()[0])
    if process.returncode != 0 or not report.get("ok") or not report["cut_checked"]:
        raise AssertionError(process.stdout)
    return report["streams"][0]["end"] if report["streams"] else 0


def run(memory, text, seconds=None):
    """Runs, for as long as it takes or until it is killed. Returns (output, killed)."""
    with subprocess.Popen(command(memory), cwd=program.ROOT, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            return process.communicate(text.encode(), timeout=seconds)[0], False
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0], True


def kill_many(folder, lane, kills):
    """Kills that often. Returns how many were while reading, and how many while answering."""
    instants = random.Random(4711 + lane)
    reading = answering = runs = 0
    memory, end, seconds, prompt = None, 0, 0.0, 0
    while reading + answering < kills:
        if runs % RUNS_PER_MEMORY == 0:
            memory, end = folder / f"lane{lane}-{runs}.db", 0
            begin = time.monotonic()
            out, _ = run(memory, TEXT)
            seconds = time.monotonic() - begin
            turn, = program.of_type([json.loads(line) for line in out.splitlines()], "turn")
            prompt = turn["window"][1] - turn["answer_tokens"]
            end = verify(memory)
            if end < max(remembered(out)) or end < turn["window"][1]:
                raise AssertionError((end, remembered(out)))
        runs += 1
        out, killed = run(memory, TEXT, instants.uniform(0, seconds))
        ends = remembered(out)
        now = verify(memory)
        if now < max([end, *ends]):
            raise AssertionError(f"verified up to {now}, reported {max([end, *ends])}")
        # A run that was killed before it said anything was loading the model.
        if killed and ends:
            reading, answering = ((reading + 1, answering) if ends[-1] - end < prompt - 8
                                  else (reading, answering + 1))
        end = now
    run(memory, "And then?")
    if verify(memory) <= end:
        raise AssertionError("the stream did not go on")
    return reading, answering


class Crash(unittest.TestCase):
    def test_nothing_that_was_remembered_is_lost_however_the_process_ends(self):
        with tempfile.TemporaryDirectory() as folder, \
             concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
            begin = time.monotonic()
            done = list(lanes.map(lambda lane: kill_many(pathlib.Path(folder), lane, KILLS // LANES),
                                  range(LANES)))
        reading, answering = (sum(counts) for counts in zip(*done))
        print(f"{reading} killed while reading, {answering} while answering, "
              f"{time.monotonic() - begin:.0f} s")
        self.assertGreaterEqual(reading + answering, KILLS)
        self.assertGreaterEqual(min(reading, answering), KILLS // 10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
