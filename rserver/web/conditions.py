"""What request fields say of the form in which an answer is wanted: encodings, known tags, parts. Pure."""

import re

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.ASCII)
_MOST_CODINGS = 32


def accepts_encoding(accepted: str, encoding: str) -> bool:
    """True when an Accept-Encoding field takes this encoding, by its name or by *."""
    quality: dict[str, bool] = {}
    for part in accepted.split(",")[:_MOST_CODINGS]:
        name, _, parameters = part.partition(";")
        quality[name.strip().lower()] = not re.fullmatch(r"\s*q\s*=\s*0(?:\.0{0,3})?\s*", parameters, re.ASCII)
    return quality.get(encoding, quality.get("*", False))


def names_tag(known: str, tag: str) -> bool:
    """True when an If-None-Match field has this tag, weak or strong, or is *."""
    return known.strip() == "*" or tag in re.findall(r'"[^"]*"', known)


def byte_range(wanted: str, length: int) -> range | None:
    """The positions that a Range field asks for; None: the whole; empty: there are none such.

    Several ranges at once are answered with the whole, which is always allowed.
    """
    match = _RANGE.fullmatch(wanted.strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return range(max(0, length - int(suffix)), length)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(length, int(last) + 1 if last else length))
