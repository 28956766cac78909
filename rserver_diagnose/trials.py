"""Trials of what proxies spoil: cookies, redirects, methods, encoded paths, invented headers, sizes, silence."""

import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rserver_diagnose import arrival, faults
from rserver_diagnose.connection import ANSWER_SECONDS, Answer, Caller, lines_until
from rserver_diagnose.finding import Fault, Finding

_SIZES = {"1 MiB": 1 << 20, "10 MiB": 10 << 20, "100 MiB": 100 << 20, "1 GiB": 1 << 30, "17 GiB": 17 << 30}
_HOLDS_SECONDS = 4.0
_REFUSES_SECONDS = 1.5
_ENCODED = "a%2Fb%20c%C3%A4?d=%2Fe"
_METHODS = ("POST", "PUT", "PATCH", "DELETE")


def cookies(caller: Caller) -> Iterator[Finding]:
    """One set by the server, and one sent to it."""
    down = caller.ask("cookie")
    sent = (down.arrived or {}).get("cookie", "")
    got = next((value for value in down.all("set-cookie") if value.startswith("rs-diagnose=")), "")
    if sent and not got:
        yield Finding(faults.COOKIE_LOST, "Set-Cookie of the server did not come back")
    elif _attributes(sent) != _attributes(got):
        yield Finding(faults.COOKIE_CHANGED, f"set: {sent}; came back: {got[:300]}")
    up = caller.ask("echo", more={"Cookie": "rs-diagnose=kept; other=1"}).arrived
    if up is not None and "rs-diagnose=kept" not in str(dict(up["fields"]).get("cookie", "")):
        yield Finding(faults.COOKIE_LOST, "a cookie that was sent did not arrive")


def _attributes(cookie: str) -> set[str]:
    return {part.strip().lower() for part in cookie.split(";")}


def redirects(caller: Caller) -> Iterator[Finding]:
    """The path of a Location must stay."""
    answer = caller.ask("redirect")
    sent, got = (answer.arrived or {}).get("location", ""), answer.first("location")
    if sent and got.removeprefix(caller.address.origin) != sent:
        yield Finding(faults.LOCATION, f"Location: {sent} came back as {got[:200]}")


def methods(caller: Caller) -> Iterator[Finding]:
    """Each must arrive as what it is."""
    refused = []
    for method in _METHODS:
        answer = caller.ask("echo", method=method, more={"Content-Length": "0"})
        if answer.arrived is None or answer.arrived["method"] != method:
            refused.append(f"{method}: {answer.words}")
    if refused:
        yield Finding(faults.METHODS, "; ".join(refused))


def encoded_path(caller: Caller) -> Iterator[Finding]:
    """Percent-encoded characters must arrive as they were sent."""
    answer = caller.ask("echo", f"/rs-diagnose/{_ENCODED}")
    if answer.arrived is None:
        yield Finding(faults.PATH_DECODED, f"{_ENCODED} was answered with {answer.words}")
    elif not answer.arrived["target"].endswith(_ENCODED):
        yield Finding(faults.PATH_DECODED, f"{_ENCODED} arrived as {answer.arrived['target'][:200]}")


def invented_headers(caller: Caller) -> Iterator[Finding]:
    """What only a proxy may say, said by a visitor."""
    answer = caller.ask("echo", more=arrival.FORGED)
    if answer.arrived is not None and not arrival.is_direct(answer.arrived, answer.own):
        yield from arrival.forged(answer.arrived)


def sizes(caller: Caller) -> Iterator[Finding]:
    """Bodies of these sizes are announced, none is sent: who has a limit says so at once."""
    largest = _SIZES["17 GiB"]
    status, asked = _announced(caller, largest, _HOLDS_SECONDS, {"Expect": "100-continue"})
    refusal = status if _refuses(status) else _announced(caller, largest, _REFUSES_SECONDS)[0]
    if _refuses(refusal):
        fits = [name for name, size in _SIZES.items() if not _refuses(_announced(caller, size, _REFUSES_SECONDS)[0])]
        limit = f"{fits[-1]} is let through" if fits else "not even 1 MiB is let through"
        yield Finding(faults.BODY_LIMIT, f"17 GiB was refused with status {refusal}, {limit}")
    elif status is None:
        how = "asked for the body" if asked else "kept silent"
        yield Finding(faults.BODY_BUFFERED, f"the server had answered before the body, but the proxy {how} instead")


def _refuses(status: int | None) -> bool:
    # 408: nothing of the body came, as is intended.
    return status is not None and 400 <= status < 500 and status != 408


def _announced(
    caller: Caller, size: int, seconds: float, expect: Mapping[str, str] = MappingProxyType({})
) -> tuple[int | None, bool]:
    """The final status, None when none comes in time, and whether the body was asked for."""
    more = {**expect, "Content-Length": str(size), "Content-Type": "application/octet-stream"}
    asked = False
    with caller.connect() as sock:
        sock.sendall(caller.head("echo", more, "POST"))
        for line in lines_until(sock, time.monotonic() + seconds):
            if line.startswith(b"HTTP/1."):
                status = int(line[9:12]) if line[9:12].isdigit() else 0
                if status != 100:
                    return status, asked
                asked = True
    return None, asked


def silence(caller: Caller, seconds: int) -> Iterator[Finding]:
    """An answer that takes that long."""
    begun = time.monotonic()
    try:
        answer: Answer | None = caller.ask(f"echo {seconds}", seconds=seconds + ANSWER_SECONDS)
    except (OSError, http.client.HTTPException):
        answer = None
    passed = time.monotonic() - begun
    if answer is None or answer.arrived is None:
        how = "the connection was closed" if answer is None else f"it was answered with {answer.words}"
        yield _early(faults.SHORT_TIMEOUT, f"after {passed:.1f} s of silence {how}")


def _early(fault: Fault, evidence: str) -> Finding:
    return Finding(fault, evidence)


def websocket(caller: Caller, seconds: int) -> Iterator[Finding]:
    """Handshake, a frame there and back, silence, another frame."""
    refused = _refusal(caller)
    if refused:
        yield Finding(faults.NO_UPGRADE, refused)
        return
    with caller.connect() as sock:
        _shake_hands(caller, sock)
        if not _echoes(sock, ANSWER_SECONDS):
            yield Finding(faults.NO_UPGRADE, "the handshake got through, the messages behind it do not")
            return
        begun = time.monotonic()
        sock.settimeout(seconds)
        try:
            closed = not sock.recv(1)
        except TimeoutError:
            closed = False
        except OSError:
            closed = True
        passed = time.monotonic() - begun
        if closed or not _echoes(sock, ANSWER_SECONDS):
            yield Finding(faults.SHORT_TUNNEL, f"a silent WebSocket was closed after {passed:.1f} s")


def _refusal(caller: Caller) -> str:
    """What happened instead of a WebSocket; empty when nothing did."""
    with caller.asked("upgrade", "/rs-diagnose/x", more=_handshake(caller)) as (response, own):
        if response.status == 101:
            return ""
        answer = Answer(response.status, tuple(response.getheaders()), response.read(1 << 18), own)
    if answer.arrived is None:
        return f"the handshake was answered with {answer.words}"
    fields = dict(answer.arrived["fields"])
    said = ", ".join(f"{name}: {fields.get(name, '(missing)')[:60]}" for name in ("connection", "upgrade"))
    return f"the handshake arrived as HTTP/{answer.arrived['version']} with {said}"


def _handshake(caller: Caller) -> dict[str, str]:
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Origin": caller.address.origin,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "cnNlcnZlciBkaWFnbm9zZQ==",
    }


def _shake_hands(caller: Caller, sock: socket.socket) -> None:
    sock.sendall(caller.head("upgrade", _handshake(caller)))
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < 1 << 14:
        piece = sock.recv(1)
        if not piece:
            return
        head += piece


def _echoes(sock: socket.socket, seconds: float) -> bool:
    sock.settimeout(seconds)
    try:
        sock.sendall(b"\x81\x85\x00\x00\x00\x00hello")
        got = b""
        while len(got) < 7:
            piece = sock.recv(7 - len(got))
            if not piece:
                return False
            got += piece
    except OSError:
        return False
    return got == b"\x81\x05hello"
