"""One thing that was looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """name: what was looked at; text: what was found; mend: what to do, for one that is not ok."""

    name: str
    ok: bool
    text: str
    mend: str = ""


def good(name: str, text: str) -> Check:
    """All is well."""
    return Check(name, True, text)


def bad(name: str, text: str, mend: str) -> Check:
    """Something must be mended."""
    return Check(name, False, text, mend)
