"""A memory that may not be written to: what only reads works, and the rest says why it does not."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import program
from program import MODEL, run

# root reads and writes whatever the permissions say, unless it gives that up.
BOUND = (["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"]
         if os.geteuid() == 0 else [])


def bound(*args):
    return subprocess.run([*BOUND, program.PROGRAM, *map(str, args)], cwd=program.ROOT,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=program.TIMEOUT_S, check=False)


class ReadOnly(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="anabranch-"))
        cls.made = cls.folder / "made.db"
        process = run("run", "-m", MODEL, "--enable-streaming", "--enable-retriever", "--memory",
                      cls.made, "-p", "My locker is number 481.", "-n", 2)
        assert process.returncode == 0, process.stderr
        # As a process leaves it that is killed.
        killed = subprocess.Popen([program.PROGRAM, "chat", "-m", MODEL, "-n", "2", "--memory",
                                   cls.made], cwd=program.ROOT, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        killed.stdin.write(b"My sister keeps parrots.\n")
        killed.stdin.flush()
        cls.left = cls.folder / "left.db"
        while True:
            killed.stdout.read(1)
            shown = run("memory", "show", "--memory", cls.made)
            if "parrots" in shown.stdout:
                break
        killed.kill()
        killed.communicate()
        for end in ("", "-wal", "-shm"):
            shutil.copy(f"{cls.made}{end}", f"{cls.left}{end}")
        closed = run("memory", "list", "--memory", cls.made)  # takes the log in
        assert closed.returncode == 0, closed.stderr
        assert not pathlib.Path(f"{cls.made}-wal").exists()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def check(self, source, ends, file_mode, folder_mode):
        """All commands on a copy with these permissions, which stays as it is."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        memory = folder / "memory.db"
        files = [pathlib.Path(f"{memory}{end}") for end in ends]
        for end, file in zip(ends, files):
            shutil.copy(f"{source}{end}", file)
            file.chmod(file_mode)
        folder.chmod(folder_mode)
        before = [file.read_bytes() for file in files if not file.name.endswith("-shm")]
        for command in (["verify"], ["list"], ["show"], ["export"], ["search", "locker"],
                        ["forget", "--matching", "locker"]):
            with self.subTest(command=command):
                done = bound("memory", *command, "--memory", memory, "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout)
                if command[0] in ("show", "search"):
                    self.assertIn("481", done.stdout)
        for command in (["memory", "forget", "--matching", "locker", "--yes"],
                        ["memory", "reindex"], ["memory", "import", self.folder / "export"],
                        ["run", "-m", MODEL, "--enable-streaming", "--enable-retriever", "-p", "x"]):
            with self.subTest(command=command[:2]):
                done = bound(*command, "--memory", memory)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertRegex(done.stderr, "cannot be written|Permission denied")
                self.assertIn("permissions", done.stderr)
        self.assertEqual(before,
                         [file.read_bytes() for file in files if not file.name.endswith("-shm")])
        self.assertEqual(sorted(folder.iterdir()), sorted(files))
        folder.chmod(0o755)

    def test_a_file_in_a_folder_that_is_read_only(self):
        exported = run("memory", "export", "--memory", self.made)
        (self.folder / "export").write_text(exported.stdout)
        self.assertEqual(json.loads(exported.stdout.splitlines()[0])["type"], "anabranch-export")
        for source, ends in ((self.made, [""]), (self.left, ["", "-wal", "-shm"]),
                             (self.left, ["", "-wal"])):
            for file_mode, folder_mode in ((0o444, 0o555), (0o644, 0o555), (0o444, 0o755)):
                if "-shm" in ends and file_mode == 0o644:
                    continue  # it can be written: nothing is to be made in the folder
                with self.subTest(ends=ends, file=oct(file_mode), folder=oct(folder_mode)):
                    self.check(source, ends, file_mode, folder_mode)


if __name__ == "__main__":
    unittest.main(verbosity=2)
