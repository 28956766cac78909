"""What a request looked like when it arrived, compared with how it was sent. Pure."""

from collections.abc import Iterator
from typing import Any

from rserver_diagnose import faults
from rserver_diagnose.address import Address
from rserver_diagnose.finding import Finding

Arrived = dict[str, Any]
ECHO = "/rs-diagnose/x"
FORGED_ADDRESS, FORGED_NAME = "203.0.113.99", "forged.invalid"
FORGED = {
    "X-Forwarded-For": FORGED_ADDRESS,
    "X-Forwarded-Host": FORGED_NAME,
    "X-Forwarded-Proto": "gopher",
    "X-RStudio-Request": f"http://{FORGED_NAME}/",
    "X-RStudio-Root-Path": f"/{FORGED_NAME}",
}


def is_direct(arrived: Arrived, own: tuple[str, int]) -> bool:
    """No proxy in between: the server saw the very connection that was made."""
    return list(arrived["peer"]) == list(own)


def judged(arrived: Arrived, address: Address, own: tuple[str, int]) -> Iterator[Finding]:
    """All that is wrong with how a plain request arrived."""
    yield from _path(arrived, address)
    if arrived["version"] != "1.1":
        yield Finding(faults.OLD_HTTP, f"the request arrived as HTTP/{arrived['version']}")
    yield from _host(arrived, address)
    yield from _scheme(arrived, address)
    if arrived["secure_cookies"] and address.scheme == "http":
        yield Finding(faults.COOKIE_NEEDS_HTTPS, "auth-cookies-force-secure=1")
    if not is_direct(arrived, own):
        yield from _visitor(arrived)


def _path(arrived: Arrived, address: Address) -> Iterator[Finding]:
    target, option = arrived["target"], arrived["www_root_path"]
    if target not in {ECHO, option + ECHO} and target != address.path + ECHO:
        yield Finding(faults.PATH_MANGLED, f"{address.path}{ECHO} arrived as {target[:200]}")
    elif arrived["seen"]["root_path"] != address.path:
        shown = arrived["seen"]["root_path"] or "/"
        yield Finding(faults.PATH_UNKNOWN, f"the server believes to be at {shown}, people see it at {address.path}/")


def _host(arrived: Arrived, address: Address) -> Iterator[Finding]:
    seen = arrived["seen"]["host"].lower()
    if seen not in {address.netloc.lower(), f"{address.host}:{address.port}".lower()}:
        yield Finding(faults.WRONG_HOST, f"{address.netloc} was asked for, the server believes {seen[:200]}")


def _scheme(arrived: Arrived, address: Address) -> Iterator[Finding]:
    if arrived["seen"]["secure"] != (address.scheme == "https"):
        said = _field(arrived, "x-forwarded-proto")
        how = f"X-Forwarded-Proto: {said[:40]}" if said else "no X-Forwarded-Proto"
        yield Finding(faults.WRONG_SCHEME, f"people come by {address.scheme}; {how} arrived")


def _visitor(arrived: Arrived) -> Iterator[Finding]:
    said = _field(arrived, "x-forwarded-for")
    if not said:
        yield Finding(faults.NO_FORWARDED_FOR, f"no X-Forwarded-For arrived from {arrived['peer'][0]}")
    if not arrived["trusted"]:
        yield Finding(faults.UNTRUSTED, f"the proxy comes from {arrived['peer'][0]}, not named in www-trusted-proxies")


def forged(arrived: Arrived) -> Iterator[Finding]:
    """What the server believed of a request with invented headers."""
    seen = arrived["seen"]
    believed = [
        name
        for name, wrong in (
            ("X-Forwarded-For", seen["address"] == FORGED_ADDRESS),
            ("X-Forwarded-Host or X-RStudio-Request", seen["host"] == FORGED_NAME),
            ("X-RStudio-Root-Path", seen["root_path"] == f"/{FORGED_NAME}"),
            ("X-Forwarded-Proto", "gopher" in _field(arrived, "x-forwarded-proto")),
        )
        if wrong
    ]
    if believed and arrived["trusted"]:
        yield Finding(faults.FORGED, f"passed on as invented and believed: {', '.join(believed)}")


def _field(arrived: Arrived, name: str) -> str:
    return ", ".join(str(value) for key, value in arrived["fields"] if key == name)
