"""Answers of programs that do not know that they are shown below a path. Pure."""

import re

from rserver.proxy.forward import Field

_OWN_ADDRESS = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})(?=[/?#]|$)", re.IGNORECASE)
_PATH = re.compile(r";\s*path=(/[^;]*)", re.IGNORECASE)
_DOMAIN = re.compile(r";\s*domain=[^;]*", re.IGNORECASE)


def below(fields: list[Field], port: int, base: str) -> list[Field]:
    """The fields with addresses and cookies moved below base, which ends with a slash."""
    return [_moved(field, port, base) for field in fields]


def _moved(field: Field, port: int, base: str) -> Field:
    name, value = field
    if name in {"location", "content-location", "refresh"}:
        return name, _address(value, port, base)
    return (name, _cookie(value, base)) if name == "set-cookie" else field


def _address(value: str, port: int, base: str) -> str:
    prefix, separator, address = value.partition("url=") if value[:1].isdigit() else ("", "", value)
    match = _OWN_ADDRESS.match(address)
    if match and int(match[1]) == port:
        address = address[match.end() :] or "/"
    if address.startswith("/") and not address.startswith(("//", base)):
        address = base + address[1:]
    return prefix + separator + address


def _cookie(value: str, base: str) -> str:
    # Whatever a program sets stays its own: no other program below this server's name may see it.
    value = _DOMAIN.sub("", value)
    match = _PATH.search(value)
    if match is None or match[1].startswith(base):
        return value
    return f"{value[: match.start()]}; Path={base}{match[1][1:]}{value[match.end() :]}"
