"""The command line that the kernel shows can be replaced, also by a shorter and a longer one."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHOW = """
from rserver_template import command_line
command_line.find()
for argv in (["a", "b c"], ["", "x"], ["long"] * 500):
    command_line.show(argv)
    print(open("/proc/self/cmdline", "rb").read().rstrip(b"\\0")[:12], flush=True)
"""


def test_it_shows_what_it_is_told() -> None:
    argv = [sys.executable, "-c", SHOW, "padding" * 50]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": "."})
    assert done.stdout.splitlines() == [r"b'a\x00b c'", r"b'\x00x'", r"b'long\x00long\x00lo'"]
