"""Which encodings of text files are supported."""

_ASCII = "".join(map(chr, range(128)))


def is_usable(encoding: str) -> bool:
    """Whether the encoding is known and ASCII is ASCII in it."""
    try:
        return _ASCII.encode(encoding) == _ASCII.encode("ascii")
    except (LookupError, UnicodeError, ValueError):
        return False
