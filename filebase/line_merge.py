"""Line by line: what turns one text into another, and both changes of a text that was changed in two places. Pure."""

from difflib import SequenceMatcher

_MOST_COMPARED = 20_000


def changes(old: str, new: str) -> list[tuple[int, int, str]]:
    """(begin, end, insert) in bytes (UTF-8) of the old text, in order."""
    a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    found = []
    at = offset = 0
    for a1, a2, b1, b2 in _differences(a, b):
        offset += _bytes(a[at:a1])
        size = _bytes(a[a1:a2])
        found.append((offset, offset + size, "".join(b[b1:b2])))
        at, offset = a2, offset + size
    return found


def merged(base: str, theirs: str, ours: str) -> str:
    """Ours with what they changed in base; of a line that both changed, both versions stay."""
    old, new, now = (text.splitlines(keepends=True) for text in (base, theirs, ours))
    place = _places(old, now)
    removed: set[int] = set()
    inserted: dict[int, list[str]] = {}
    for a1, a2, b1, b2 in _differences(old, new):
        removed.update(place[line] for line in range(a1, a2) if line in place)
        before = next((place[line] + 1 for line in range(a1 - 1, -1, -1) if line in place), 0)
        inserted.setdefault(before, []).extend(new[b1:b2])
    out: list[str] = []
    for line in range(len(now) + 1):
        out += inserted.get(line, ())
        if line < len(now) and line not in removed:
            out.append(now[line])
    return "".join(out)


def _places(old: list[str], now: list[str]) -> dict[int, int]:
    """Old line -> where it is now, of those that are as they were."""
    place: dict[int, int] = {}
    at, shift = 0, 0
    for a1, a2, b1, b2 in _differences(old, now):
        place.update((line, line + shift) for line in range(at, a1))
        at, shift = a2, shift + (b2 - b1) - (a2 - a1)
    place.update((line, line + shift) for line in range(at, len(old)))
    return place


def _differences(a: list[str], b: list[str]) -> list[tuple[int, int, int, int]]:
    """(a1, a2, b1, b2) of each place where the lines differ; beyond 20,000 lines that differ only one."""
    start = _common(a, b)
    tail = _common(a[start:][::-1], b[start:][::-1])
    end_a, end_b = len(a) - tail, len(b) - tail
    if max(end_a, end_b) - start > _MOST_COMPARED:
        return [(start, end_a, start, end_b)]
    matcher = SequenceMatcher(None, a[start:end_a], b[start:end_b], autojunk=True)
    return [
        (a1 + start, a2 + start, b1 + start, b2 + start)
        for tag, a1, a2, b1, b2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _common(a: list[str], b: list[str]) -> int:
    return next((at for at, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), min(len(a), len(b)))


def _bytes(lines: list[str]) -> int:
    return sum(len(line.encode()) for line in lines)
