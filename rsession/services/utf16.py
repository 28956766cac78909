"""Offsets as browsers count them, in UTF-16 code units, against Python's code points."""


def unit_length(text: str) -> int:
    """How many UTF-16 code units the text takes."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def prefix(text: str, units: int) -> str:
    """The first `units` code units; raises ValueError outside of the text or in the middle of a character."""
    return splice(text, units, unit_length(text), "")


def splice(text: str, start: int, end: int, insert: str) -> str:
    """`text` with the code units from `start` up to `end` replaced; raises ValueError like `prefix`."""
    if not 0 <= start <= end:
        raise ValueError("offsets must not be negative, and the first not behind the second")
    if text.isascii():
        if end > len(text):
            raise ValueError("offset behind the end of the text")
        return text[:start] + insert + text[end:]
    return _splice_units(text.encode("utf-16-le", "surrogatepass"), start, end, insert)


def _splice_units(units: bytes, start: int, end: int, insert: str) -> str:
    if 2 * end > len(units):
        raise ValueError("offset behind the end of the text")
    if _splits_pair(units, start) or _splits_pair(units, end):
        raise ValueError("offset in the middle of a character")
    before = units[: 2 * start].decode("utf-16-le", "surrogatepass")
    return before + insert + units[2 * end :].decode("utf-16-le", "surrogatepass")


def _splits_pair(units: bytes, offset: int) -> bool:
    if not 0 < 2 * offset < len(units):
        return False
    return 0xD8 <= units[2 * offset - 1] <= 0xDB and 0xDC <= units[2 * offset + 1] <= 0xDF
