"""Why a session ended, as it says itself: the last line that it writes to its stderr, which the keeper keeps."""

_MARK = "rsession: last word: "
MOST_CHARACTERS = 500
NEVER_READY = "R ended before its first prompt."
"""A page may have been open already: that it was answered does not mean that anybody could quit."""


def encode(sentence: str) -> bytes:
    """The line for a sentence."""
    return f"\n{_MARK}{' '.join(sentence.split())[:MOST_CHARACTERS]}\n".encode()


def split(tail: str) -> tuple[str, str]:
    """The sentence, empty when there is none, and the rest of what was written."""
    before, mark, after = tail.rpartition(f"{_MARK}")
    if not mark or "\n" in (sentence := after.rstrip("\n")) or not sentence.isprintable():
        return "", tail
    return sentence[:MOST_CHARACTERS], before.rstrip("\n") + "\n" if before.strip() else ""
