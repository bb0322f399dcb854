"""The program with its memory on real servers: PostgreSQL and Chroma."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from program import MODEL, ROOT, of_type, run_json, run

PASSWORD = "quiet-harbour-71"
TURNS = [{"role": "user", "content": text} for text in (
    "My sister Ragnhild keeps the lighthouse on Utsira. Say yes.",
    "The spare key of the lighthouse hangs behind the barometer. Say yes.",
    "Tell me about rivers. " + "A river begins as rain on a hill and ends in the sea. " * 30)]
QUESTION = "Where does the spare key of the lighthouse hang?"
SIZES = ("--enable-streaming", "--recent-size", 256, "--enable-retriever", "-n", 8)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(ready, process, what):
    for _ in range(600):
        if process.poll() is not None:
            break
        if ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"{what} did not start")


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Chroma:
    def __init__(self, folder):
        self.port, self.folder = free_port(), folder
        self.location = f"chroma:http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [ROOT / ".venv/chroma/bin/chroma", "run", "--host", "127.0.0.1", "--port",
             str(self.port), "--path", self.folder / "chroma"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"})
        wait_for(lambda: accepts(self.port), self.process, "chroma")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Postgres:
    def __init__(self, folder):
        self.port, self.folder = free_port(), folder
        # A folder that a user who is not root can reach.
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="anabranch-postgres-"))
        self.programs = self.data / "p"
        shutil.copytree(ROOT / ".venv/postgres", self.programs, symlinks=True)
        self.bin = self.programs / "pgserver/pginstall/bin"
        self.location = f"postgresql://keeper@127.0.0.1:{self.port}/postgres"
        self.process = None
        password = self.data / "password"
        password.write_text(PASSWORD)
        self.user = 65534 if os.geteuid() == 0 else None
        if self.user:
            subprocess.run(["chown", "-R", f"{self.user}:{self.user}", self.data], check=True)
        subprocess.run([self.bin / "initdb", "-D", self.data / "d", "--auth=scram-sha-256",
                        f"--pwfile={password}", "-U", "keeper"], check=True, user=self.user,
                       cwd=self.data, stdout=subprocess.DEVNULL)

    def start(self):
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.data / "d", "-p", str(self.port), "-c",
             "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.data}"],
            user=self.user, cwd=self.data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: subprocess.run(
            [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0,
            self.process, "postgres")
        subprocess.run([self.bin / "psql", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U",
                        "keeper", "-d", "postgres", "-c",
                        "CREATE EXTENSION IF NOT EXISTS vector"],
                       env={**os.environ, "PGPASSWORD": PASSWORD}, check=True,
                       stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


class OnAServer:
    """What both servers must do; the subclasses name the server."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="anabranch-stores-"))
        cls.server = cls.Server(cls.folder)
        cls.server.start()
        os.environ["ANABRANCH_MEMORY_PASSWORD"] = PASSWORD
        cls.turns = cls.folder / "turns.json"
        cls.turns.write_text(json.dumps(TURNS))

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.folder)
        shutil.rmtree(getattr(cls.server, "data", cls.folder), ignore_errors=True)

    def on(self, journal):
        return ("--memory", self.server.location, "--journal", self.folder / journal)

    def test_a_later_process_recalls_from_the_server(self):
        process, lines = run_json("run", "-m", MODEL, "-f", self.turns, *SIZES, *self.on("a"),
                                  "--stream", "a")
        self.assertEqual(process.returncode, 0, process.stderr)
        remembered = of_type(lines, "remembered")
        self.assertEqual(remembered[-1]["stream"], "a")
        process, lines = run_json("run", "-m", MODEL, "-p", QUESTION, *SIZES, *self.on("a"),
                                  "--stream", "a", "--resume", "cold")
        self.assertEqual(process.returncode, 0, process.stderr)
        turn, = of_type(lines, "turn")
        self.assertIn("barometer", " ".join(p["text"] for p in turn["recalled"]))
        process, lines = run_json("memory", "verify", *self.on("a"))
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertTrue(lines[-1]["ok"])

    def test_a_server_that_goes_away_costs_nothing(self):
        process, _ = run_json("run", "-m", MODEL, "-f", self.turns, *SIZES, *self.on("b"),
                              "--stream", "b")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.server.stop()
        try:
            process, lines = run_json("run", "-m", MODEL, "-p", QUESTION, *SIZES, *self.on("b"),
                                      "--stream", "b", "--resume", "cold")
        finally:
            self.server.start()
        self.assertEqual(process.returncode, 0, process.stderr)
        turn, = of_type(lines, "turn")
        self.assertIn("barometer", " ".join(p["text"] for p in turn["recalled"]))
        away = of_type(lines, "remembered")[-1]
        self.assertLess(away["indexed"], away["end"])
        process, lines = run_json("run", "-m", MODEL, "-p", "Say yes.", *SIZES, *self.on("b"),
                                  "--stream", "b")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertGreater(of_type(lines, "remembered")[-1]["indexed"], away["indexed"])
        process, lines = run_json("memory", "verify", *self.on("b"))
        self.assertTrue(lines[-1]["ok"], lines)

    def test_a_password_in_a_location_is_refused_and_not_repeated(self):
        scheme, rest = self.server.location.split("//", 1)
        location = f"{scheme}//ada:open-sesame@{rest.split('@')[-1]}"
        process = run("run", "-m", MODEL, "-p", "Hello", "--enable-streaming", "--enable-retriever",
                      "--memory", location, "--journal", self.folder / "c")
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("ANABRANCH_MEMORY_PASSWORD", process.stderr)
        self.assertIn("--memory-password-file", process.stderr)
        self.assertNotIn("open-sesame", process.stdout + process.stderr)


class PostgresTest(OnAServer, unittest.TestCase):
    Server = Postgres


class ChromaTest(OnAServer, unittest.TestCase):
    Server = Chroma


if __name__ == "__main__":
    unittest.main()
