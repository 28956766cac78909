"""What turns one text into another, line by line. Pure."""

from difflib import SequenceMatcher

_MOST_COMPARED = 20_000


def line_changes(old: str, new: str) -> list[tuple[int, int, str]]:
    """(begin, end, insert) in characters of the old text, in order; beyond 20,000 lines that differ only one."""
    a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    start = _common(a, b)
    tail = _common(a[start:][::-1], b[start:][::-1])
    a, b, offset = a[start : len(a) - tail], b[start : len(b) - tail], sum(map(len, a[:start]))
    if not a and not b:
        return []
    if max(len(a), len(b)) > _MOST_COMPARED:
        return [(offset, offset + sum(map(len, a)), "".join(b))]
    found = []
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, a, b).get_opcodes():
        end = offset + sum(map(len, a[a1:a2]))
        if tag != "equal":
            found.append((offset, end, "".join(b[b1:b2])))
        offset = end
    return found


def _common(a: list[str], b: list[str]) -> int:
    return next((at for at, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), min(len(a), len(b)))
