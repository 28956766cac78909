"""The names that people give their sessions. Pure."""

import unicodedata

MOST_CHARACTERS = 100
# Controls, surrogates, line and paragraph separators; and what turns the writing direction of the text around it.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTIONS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


class BadLabel(ValueError):
    """Not acceptable as a label; the text says why."""


def checked_label(text: str) -> str:
    """The label as it is kept: composed, without blanks around it. May be empty. BadLabel."""
    label = unicodedata.normalize("NFC", text).strip()
    if len(label) > MOST_CHARACTERS:
        raise BadLabel(f"The label is longer than {MOST_CHARACTERS} characters.")
    if any(unicodedata.category(sign) in _REFUSED_CATEGORIES or sign in _DIRECTIONS for sign in label):
        raise BadLabel("The label holds control characters.")
    return label
