"""One target under atheris: `python -m tests.fuzz.run_target NAME [arguments of libFuzzer]`."""

import sys

import atheris

with atheris.instrument_imports(include=["rserver.proxy", "h11"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Until libFuzzer ends the process."""
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
