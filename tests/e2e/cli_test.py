"""The program as people call it: commands, formats, exit codes, errors, pipes and interrupts."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tempfile
import time
import unittest

import program
from program import MODEL, ROOT, of_type, run, run_json

STORY = ("My name is Ada and I live in Oslo. "
         + " ".join(f"On day {i} I walked along the river and counted {i * 3} boats." for i in range(90)))


class Seed(unittest.TestCase):
    def test_the_seeds_command_works_letter_by_letter(self):
        program.make_needles(ROOT / "data", [6000], [50])
        process = run("run", "--enable_streaming", "--model_name_or_path", MODEL,
                      "--enable_retriever", "--enable_always_retriever", "--chunk_size", 100,
                      "--recent_size", 4096, "--file_path",
                      "data/prompt_context_length_6000_depth_percent50.json", "-n", 8)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertTrue(process.stdout.strip())
        self.assertNotIn("\x1b", process.stdout + process.stderr)


class Run(unittest.TestCase):
    def test_json_lines_have_the_documented_fields(self):
        process, lines = run_json("run", "-m", MODEL, "--enable-streaming", "--recent-size", 512,
                                  "--enable-retriever", "--chunk-size", 100, "-p",
                                  "In which city do I live?", "-n", 24, stdin=STORY)
        self.assertEqual(process.returncode, 0, process.stderr)
        turn, = of_type(lines, "turn")
        self.assertLessEqual({"turn", "user", "answer", "stop", "recall", "recalled",
                              "prompt_tokens", "recalled_tokens", "answer_tokens",
                              "evicted_tokens", "window", "prefill_ms", "decode_ms"}, set(turn))
        self.assertIn(turn["stop"], ("eos", "length"))
        self.assertEqual(turn["recall"], "used")
        for passage in turn["recalled"]:
            self.assertLessEqual({"begin", "end", "role", "time", "score", "text"}, set(passage))
        self.assertIn("Oslo", " ".join(passage["text"] for passage in turn["recalled"]))
        self.assertIn("Oslo", turn["answer"])
        begin, end = turn["window"]
        self.assertLessEqual(end - begin, 512)
        self.assertEqual(lines[-1]["type"], "summary")
        self.assertLessEqual({"tokens", "evicted", "peak_rss_bytes", "load_ms"}, set(lines[-1]))
        self.assertGreater(lines[-1]["evicted"], 0)

    def test_the_same_call_prints_the_same_bytes(self):
        call = ("run", "-m", MODEL, "-p", "Name three rivers.", "-n", 16, "--temp", "0.8", "-s", 7)
        first, second = run(*call), run(*call)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout, second.stdout)
        self.assertTrue(first.stdout.strip())

    def test_dense_attention_that_outgrows_the_model_names_the_flag(self):
        process = run("run", "-m", MODEL, "-p", "What is it about?", stdin=STORY * 6)
        self.assertEqual(process.returncode, 1)
        self.assertIn("--enable-streaming", process.stderr)

    def test_every_format_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            files = {
                "list.json": json.dumps([{"role": "system", "content": "Be brief."},
                                         {"role": "user", "content": "Say hello."},
                                         {"role": "assistant", "content": "Hello."},
                                         {"role": "user", "content": "Say goodbye.",
                                          "time": "2026-01-02T03:04:05Z"}]),
                "lines.jsonl": '{"role": "user", "content": "Say hello."}\n',
                "mt_bench.jsonl": '{"question_id": 1, "turns": ["Say hello.", "Say goodbye."]}\n',
            }
            turns = {"list.json": 1, "lines.jsonl": 1, "mt_bench.jsonl": 2}
            for name, text in files.items():
                path = pathlib.Path(folder) / name
                path.write_text(text, encoding="utf-8")
                process, lines = run_json("run", "-m", MODEL, "-f", path, "-n", 4)
                self.assertEqual(process.returncode, 0, name + process.stderr)
                self.assertEqual(len(of_type(lines, "turn")), turns[name], name)

    def test_a_memory_outlives_the_process(self):
        with tempfile.TemporaryDirectory() as folder:
            memory = pathlib.Path(folder) / "memory.db"
            process = run("run", "-m", MODEL, "--enable-streaming", "--recent-size", 512,
                          "--enable-retriever", "--memory", memory, "-p", "Hello.", "-n", 4,
                          stdin=STORY)
            self.assertEqual(process.returncode, 0, process.stderr)
            listed, streams = run_json("memory", "list", "--memory", memory)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertGreater(streams[0]["units"], 20)
            found = run("memory", "search", "--memory", memory, "Where does Ada live?")
            self.assertEqual(found.returncode, 0, found.stderr)
            self.assertIn("Oslo", found.stdout)
            verified = run("memory", "verify", "--memory", memory)
            self.assertEqual(verified.returncode, 0, verified.stderr)
            asked = run("run", "-m", MODEL, "--enable-streaming", "--recent-size", 512, "-n", 4,
                        "--enable-retriever", "--debug-retriever", "--memory", memory,
                        "--stream", "work", "--recall-from", "default",
                        "-p", "Where does Ada live?")
            self.assertEqual(asked.returncode, 0, asked.stderr)
            self.assertIn("in stream 'default'", asked.stderr)
            unknown = run("run", "-m", MODEL, "--enable-retriever", "--memory", memory,
                          "--stream", "work", "--recall-from", "nobody", "-p", "Hello.")
            self.assertIn("memory list", unknown.stderr)
            dry, objects = run_json("memory", "forget", "--memory", memory, "--matching", "Oslo")
            self.assertEqual((dry.returncode, objects[0]["done"]), (0, False))
            self.assertIsNone(objects[0]["grade"])
            forgotten, objects = run_json("memory", "forget", "--memory", memory,
                                          "--matching", "Oslo", "--yes")
            self.assertEqual(forgotten.returncode, 0, forgotten.stderr)
            self.assertEqual(objects[0]["grade"], "erased")
            self.assertNotIn("Oslo", run("memory", "show", "--memory", memory).stdout)
            self.assertNotIn(b"Oslo", memory.read_bytes())


class Errors(unittest.TestCase):
    def check(self, code, words, *args, **kwargs):
        process = run(*args, **kwargs)
        self.assertEqual(process.returncode, code, process.stderr)
        for word in words:
            self.assertIn(word, process.stderr)
        self.assertEqual(process.stdout, "")

    def test_usage_is_2_and_failure_is_1(self):
        self.check(2, ["--recent-sise"], "run", "-m", MODEL, "--recent-sise", 3, "-p", "x")
        self.check(2, ["--recent-size"], "run", "-m", MODEL, "--recent-size", "many", "-p", "x")
        self.check(1, ["no_such.gguf"], "run", "-m", "no_such.gguf", "-p", "x")
        self.check(1, ["no_such.json"], "run", "-m", MODEL, "-f", "no_such.json")
        self.check(1, ["meta-llama/Llama-2-7b", "GGUF"], "run", "-m", "meta-llama/Llama-2-7b", "-p", "x")
        self.check(1, ["README.md", "GGUF"], "run", "-m", "README.md", "-p", "x")

    def test_a_window_that_does_not_fit_is_refused_with_the_numbers(self):
        self.check(1, ["100000", "8192"], "run", "-m", MODEL, "--enable-streaming",
                   "--recent-size", 100000, "-p", "x")

    def test_an_error_as_json_has_what_fault_and_remedy(self):
        process, lines = run_json("run", "-m", "no_such.gguf", "-p", "x")
        self.assertEqual(process.returncode, 1)
        error, = of_type(lines, "error")
        self.assertIn("no_such.gguf", error["what"])
        self.assertTrue(error["fault"] and error["remedy"])

    def test_a_broken_conversation_names_file_and_place(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "broken.json"
            path.write_text('[{"role": "user", "content": "a"}, {"role": "king", "content": "b"}]')
            self.check(1, ["broken.json", "king"], "run", "-m", MODEL, "-f", path)

    def test_no_input_on_a_terminal_is_2_and_names_chat(self):
        parent, child = pty.openpty()
        process = subprocess.run([program.PROGRAM, "run", "-m", MODEL], cwd=ROOT, stdin=child,
                                 capture_output=True, text=True, timeout=60, check=False)
        os.close(child)
        os.close(parent)
        self.assertEqual(process.returncode, 2)
        self.assertIn("chat", process.stderr)
        self.assertIn("-f", process.stderr)


class Pipes(unittest.TestCase):
    def test_a_closed_pipe_ends_quietly(self):
        process = subprocess.Popen([program.PROGRAM, "run", "-m", MODEL, "-p", "Count to fifty.",
                                    "-n", "200"], cwd=ROOT, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(1)
        process.stdout.close()
        errors = process.stderr.read().decode()
        process.stderr.close()
        process.wait(timeout=60)
        self.assertNotIn("error", errors.lower())

    def test_ctrl_c_keeps_the_partial_answer_and_exits_130(self):
        with tempfile.TemporaryDirectory() as folder:
            memory = pathlib.Path(folder) / "memory.db"
            process = subprocess.Popen(
                [program.PROGRAM, "run", "-m", MODEL, "--enable-streaming", "--enable-retriever",
                 "--memory", str(memory), "--json", "-n", "-1", "-p",
                 "Write a very long story about a lighthouse, in at least fifty chapters."],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True)
            time.sleep(2.5)
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130, errors)
            lines = [json.loads(line) for line in out.splitlines()]
            turn, = of_type(lines, "turn")
            self.assertEqual(turn["stop"], "interrupt")
            self.assertTrue(turn["answer"])
            self.assertEqual(lines[-1]["type"], "summary")
            shown = run("memory", "show", "--memory", memory)
            self.assertIn(turn["answer"].strip()[:30], shown.stdout)


class Chat(unittest.TestCase):
    def test_a_chat_on_a_terminal_answers_and_quits(self):
        with tempfile.TemporaryDirectory() as folder:
            parent, child = pty.openpty()
            process = subprocess.Popen([program.PROGRAM, "chat", "-m", MODEL, "-n", "8", "-s", "1"],
                                       cwd=ROOT, stdin=child, stdout=child, stderr=child,
                                       env={**os.environ, "TERM": "xterm", "HOME": folder,
                                            "XDG_STATE_HOME": folder}, start_new_session=True)
            os.close(child)
            output = ""

            def read_until(pattern):
                nonlocal output
                end = time.monotonic() + 60
                while not re.search(pattern, output) and time.monotonic() < end:
                    if select.select([parent], [], [], 1)[0]:
                        try:
                            output += os.read(parent, 65536).decode(errors="replace")
                        except OSError:
                            break
                self.assertRegex(output, pattern)
                output = ""

            read_until(r"> ")
            os.write(parent, b"/help\n")
            read_until(r"/forget(.|\n)*> ")
            os.write(parent, b"Hello, who are you?\n")
            read_until(r"\w+(.|\n)*> ")
            os.write(parent, b"/stats\n")
            read_until(r"window")
            os.write(parent, f"/save {folder}/saved.json\n".encode())
            read_until(r"saved")
            os.write(parent, b"\x04")
            self.assertEqual(process.wait(timeout=60), 0)
            os.close(parent)
            saved = json.loads(pathlib.Path(folder, "saved.json").read_text(encoding="utf-8"))
            self.assertEqual([message["role"] for message in saved[-2:]], ["user", "assistant"])

    def test_a_chat_forgets_a_text_when_it_is_asked_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            memory = pathlib.Path(folder) / "memory.db"
            said = "My locker number is xylophone seven.\nThank you, that is all for now.\n"
            process = run("chat", "-m", MODEL, "-n", 2, "-s", 1, "--memory", memory,
                          stdin=said + "/forget xylophone\n/stats\n/forget xylophone\n/stats\n"
                          f"/save {folder}/saved.json\n/quit\n")
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertIn("would forget", process.stderr)
            self.assertIn(b"xylophone", memory.read_bytes())
            process = run("chat", "-m", MODEL, "-n", 2, "-s", 1, "--memory", memory,
                          stdin="/forget xylophone\n/forget XYLOPHONE\n/forget XYLOPHONE\n"
                          "Hello again.\n/quit\n")
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertIn("\nerased: ", process.stderr)
            for file in pathlib.Path(folder).iterdir():
                if file.name != "saved.json":
                    self.assertNotIn(b"xylophone", file.read_bytes(), file.name)

    def test_a_chat_in_a_pipe_needs_no_terminal(self):
        process = run("chat", "-m", MODEL, "-n", 4, "-s", 1, stdin="Hello.\n/stats\n/quit\n")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertNotIn("\x1b", process.stdout + process.stderr)


class Tools(unittest.TestCase):
    def test_sinks_hold_perplexity_down(self):
        """At the same total size, no sinks cost at least 1.5 times the perplexity of 4."""
        text = subprocess.run(["bible", "1kings1:1-1kings4:34"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=True).stdout
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            ppl = {}
            for sinks, recent in ((0, 256), (4, 252)):
                process, lines = run_json("perplexity", "-m", MODEL, "--enable-streaming",
                                          "--file-path", file.name, "--start-size", sinks,
                                          "--recent-size", recent, "--max-tokens-read", 2000)
                self.assertEqual(process.returncode, 0, process.stderr)
                self.assertLessEqual({"tokens", "nll_mean", "ppl", "start_size", "recent_size",
                                      "ms"}, set(lines[-1]))
                ppl[sinks] = lines[-1]["ppl"]
        self.assertGreater(ppl[0], 1.5 * ppl[4])

    def test_tokenize_goes_there_and_back(self):
        ids = run("tokenize", "-m", MODEL, "-p", "Grüße, 世界!").stdout.split()
        self.assertTrue(all(each.isdigit() for each in ids) and ids)
        back = run("tokenize", "-m", MODEL, "--ids", *ids)
        self.assertEqual(back.stdout.strip(), "Grüße, 世界!")

    def test_inspect_shows_tensors_and_the_memory_plan(self):
        shown = run("inspect", MODEL, "--recent-size", 1024)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for word in ("GGUF v3", "token_embd.weight", "Q8_0", "8 x 8 bits", "llama.block_count", "1024"):
            self.assertIn(word, shown.stdout)
        embedder = run("inspect", "models/all-MiniLM-L6-v2/model.safetensors")
        self.assertIn("safetensors", embedder.stdout)

    def test_keys_and_values_of_8_bits_cost_little(self):
        def perplexity(kv_type):
            process, lines = run_json("perplexity", "-m", MODEL, "-f", "docs/architecture.md", "--recent-size", 256,
                                      "--max-tokens-read", 1500, "--kv-type", kv_type)
            self.assertEqual(process.returncode, 0, process.stderr)
            return lines[-1]["ppl"]
        exact, rounded = perplexity("f16"), perplexity("q8_0")
        self.assertNotEqual(rounded, exact)
        self.assertLess(abs(rounded / exact - 1), 0.005)
        refused = run("run", "-m", MODEL, "--kv-type", "q4_0", "-p", "Hello")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("q4_0", refused.stderr)

    def test_bench_reports_prefill_and_decode(self):
        process, lines = run_json("bench", "-m", MODEL, "--recent-size", 128, "-r", 2)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertLessEqual({"window", "prefill_tps", "decode_ms", "threads", "kernels"},
                             set(lines[-1]))

    def test_version_help_and_completion(self):
        version = run("--version").stdout
        self.assertRegex(version, r"anabranch \d+\.\d+\.\d+")
        self.assertRegex(version, r"kernels")
        for command in ("run", "chat", "perplexity", "tokenize", "inspect", "bench", "memory"):
            self.assertIn(command, run("--help").stdout)
            self.assertEqual(run(command, "--help").returncode, 0)
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("anabranch", run("completion", shell).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
