"""What was typed after `rstudio-server`: a verb, what it acts on, options."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rserver_core.options.rserver import RSERVER

OWN_OPTIONS = ("url", "connect", "ca-file", "seconds", "verify-user", "message")
_HELP = frozenset({"--help", "-h", "help"})


class UsageError(Exception):
    """The command line cannot be understood; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of the command.

    verb: empty when help is wanted; operands: what follows it; options: those for rserver, each `--name=value`, the
    last of a name only; own: values of our own options by name; json: answer for a program.
    """

    verb: str
    operands: tuple[str, ...]
    options: tuple[str, ...]
    own: Mapping[str, str]
    json: bool


def parse(argv: Sequence[str]) -> Invocation:
    """The invocation; UsageError when argv is none."""
    flags, words, named = {"--json": False}, list[str](), dict[str, str]()
    for name, value in _read(argv):
        if name in flags:
            flags[name] = True
        elif value is None:
            words.append(name)
        else:
            named[name] = value
    if not words:
        raise UsageError("no verb was given")
    own = {name: named.pop(name) for name in OWN_OPTIONS if name in named}
    options = tuple(f"--{name}={value}" for name, value in named.items())
    verb, *operands = ("", *words) if words[0] in _HELP else words
    return Invocation(verb, tuple(operands), options, own, flags["--json"])


def _read(argv: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Options as (name, value); words and switches as (text, None)."""
    rest = iter(argv)
    for text in rest:
        name, equals, value = text.removeprefix("--").partition("=")
        if not text.startswith("--") or text in {"--json", "--help"}:
            yield text, None
        elif equals:
            yield name, value
        elif name in OWN_OPTIONS or name in RSERVER.options:
            following = next(rest, None)
            if following is None:
                raise UsageError(f"{text} has no value")
            yield name, following
        else:
            raise UsageError(f"{text[:80]} is no option; options are --name=value")
