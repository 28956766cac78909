"""`python3 -m tools VERB`: what a target of the Makefile does."""

import os
import sys
from collections.abc import Sequence

from tools import accounts, placement, set_up
from tools.layout import PYTHON, ROOT
from tools.steps import SetUpError

_NEEDS_SET_UP = {
    "setup": set_up.for_run,
    "run": set_up.for_run,
    "test": set_up.for_test,
    "check": set_up.for_check,
    "bench": set_up.for_test,
    "chaos": set_up.for_test,
    "fuzz": set_up.for_test,
}

_PROGRAMS = {"bench": "bench", "chaos": "tests.chaos", "fuzz": "tests.fuzz"}


def main(argv: Sequence[str]) -> int:
    """Set up what the verb needs, then do it."""
    if not argv or argv[0] not in {*_NEEDS_SET_UP, "generate"}:
        print("usage: python3 -m tools setup|run|test|check|generate|bench|chaos|fuzz [arguments]", file=sys.stderr)
        return 2
    verb, arguments = argv[0], argv[1:]
    try:
        if verb in _NEEDS_SET_UP:
            _move_if_unreadable(argv)
            _NEEDS_SET_UP[verb]()
        return _do(verb, arguments)
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1


def _move_if_unreadable(argv: Sequence[str]) -> None:
    if os.geteuid() == 0 and not placement.is_readable_by_all():
        placement.copy_to_target()
        os.chdir(placement.TARGET)
        os.execv(sys.executable, [sys.executable, "-m", "tools", *argv])


def _do(verb: str, arguments: Sequence[str]) -> int:
    if verb == "run":
        from tools.serve import serve

        if os.geteuid() == 0:
            accounts.ensure_somebody_can_sign_in()
        serve(arguments)
    elif verb == "test":
        from tools.run_tests import run

        run(arguments)
    elif verb == "check":
        from tools.run_checks import run as check

        return check(arguments)
    elif verb == "generate":
        from tools.generate import generate

        return generate(arguments)
    elif verb in _PROGRAMS:
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), "-m", _PROGRAMS[verb], *arguments])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
