"""Runs R in this process and answers jobs: standard input has [function, argument …] arrays, one a line, in JSON.

Arguments: R home, then R files for the hidden environment. One line of JSON for each job on the original stderr:
[kind, text], kinds 0 JSON, 1 raw (as Latin-1), 2 error; emitted events as ["emitted", type, json]; at last
["output", everything written].
"""

import json
import os
import select
import sys
import threading

from rsession import _shim
from rsession.segment_kind import SegmentKind


def say(log: int, *words: object) -> None:
    """One line for the test."""
    os.write(log, json.dumps(words).encode() + b"\n")


def serve(descriptors: tuple[int, int, int, int], jobs: list[list[str]]) -> None:
    """Post the jobs at the first prompt, report, and end R when all are answered."""
    ring, out, error, log = descriptors
    output = b""
    left = len(jobs)
    while True:
        select.select([ring, out, error], [], [])
        _shim.take_child_output()
        _shim.pending()
        for kind, number, first, second in _shim.drain(1 << 30)[0]:
            if kind in (SegmentKind.OUTPUT, SegmentKind.ERROR):
                output += first
            elif kind == SegmentKind.PROMPT and left == len(jobs):
                for index, call in enumerate(jobs, 1):
                    _shim.post_job(index, [text.encode("utf-8", "surrogateescape") for text in call])
            elif kind == SegmentKind.EMITTED:
                say(log, "emitted", first.decode(), second.decode())
            elif kind == SegmentKind.RESULT:
                say(log, number & 3, first.decode("latin-1" if number & 3 == 1 else "utf-8"))
                left -= number >> 2 > 0
                if left == 0:
                    _shim.submit(b"q('no')\n")
            elif kind == SegmentKind.QUIT:
                say(log, "output", output.decode("utf-8", "replace"))
                _shim.acknowledge_quit()


if __name__ == "__main__":
    calls = [json.loads(line) for line in sys.stdin]
    opened = _shim.open()
    threading.Thread(target=serve, args=(opened, calls), daemon=True).start()
    library = os.fsencode(f"{sys.argv[1]}/lib/libR.so")
    options = [b"R", b"--interactive", b"--vanilla", b"--quiet"]
    _shim.run(library, options, [os.fsencode(path) for path in sys.argv[2:]], -1)
