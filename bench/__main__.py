"""Runs the benchmarks: `python -m bench [NAME ...]`, all of them without a name.

A benchmark is a program `bench/NAME.py` with a `main()` that prints its results as JSON objects, one a line; all
else it prints is shown as it is. The results are shown as tables and written to bench/results/.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_LIMIT_SECONDS = 1800

Result = dict[str, Any]


def main(names: Sequence[str]) -> int:
    """1 when one could not be run or is not there."""
    known = _benchmarks()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such benchmark: {' '.join(unknown)}; there are {' '.join(known)}", file=sys.stderr)
        return 1
    results = {name: _run(name) for name in names or known}
    path = _write(results)
    print(f"\nwritten to {path.relative_to(_HERE.parent)}")
    return 0 if all(results.values()) else 1


def _benchmarks() -> list[str]:
    programs = (path for path in sorted(_HERE.glob("*.py")) if not path.name.startswith("_"))
    return [path.stem for path in programs if "\ndef main(" in path.read_text()]


def _run(name: str) -> list[Result]:
    print(f"\n== {name}", flush=True)
    argv = [sys.executable, str(_HERE / f"{name}.py")]
    environ = {"RSERVER_TEST_DEADLINE_SECONDS": "600", **os.environ, "PYTHONPATH": str(_HERE.parent)}
    program = subprocess.Popen(argv, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert program.stdout
    results = [result for line in program.stdout if (result := _shown(line)) is not None]
    if program.wait(_LIMIT_SECONDS):
        print(f"{name} ended with {program.returncode}", file=sys.stderr)
    return results


def _shown(line: str) -> Result | None:
    """The result in a line, shown as a table; another line is shown as it is."""
    try:
        result = json.loads(line) if line.startswith("{") else None
    except ValueError:
        result = None
    if not isinstance(result, dict):
        print(line, end="", flush=True)
        return None
    for key, value in _flat(result):
        print(f"  {key:<44}{_text(value):>14}", flush=True)
    return result


def _text(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _flat(result: Result, before: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in result.items():
        pairs += _flat(value, f"{before}{key} ") if isinstance(value, dict) else [(before + key, value)]
    return pairs


def _write(results: dict[str, list[Result]]) -> Path:
    machine = {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()}
    path = _HERE / "results" / f"{time.strftime('%Y-%m-%dT%H%M%SZ', time.gmtime())}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "load": os.getloadavg(), "results": results}, indent=1) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
