"""What fuzzing begins with: the corpus of misread requests, and examples for the other targets."""

import random
from collections.abc import Iterator

from tests.rserver.proxy.differences.generated import requests as generated
from tests.rserver.proxy.smuggling.cases import corpus

_ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nSet-Cookie: user-id=1\r\n\r\n",
    b"HTTP/1.1 204\r\nConnection: close, X-A\r\nX-A: b\r\n\r\n",
    b"HTTP/1.0 304 Not Modified\r\nETag: \xe9\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
)
_COOKIES = (
    b"user-id=a; rs-csrf-token=b; theirs=c",
    b" user-id =x;;a=1;USER-ID=y; port-token",
    b"\xa0user-id=1;\x85a=b==; c",
)
_FORWARDED = (
    b"1.2.3.4, 10.0.0.1\nhttps\nexample.org:443\nhttps://example.org/r/x\n/r/s",
    b"fe80::1%eth0\nHTTP\n[2001:db8::1]:80\nhttp://[::1]:8080/\n/../x",
    b"::ffff:1.2.3.4,nonsense\n\n\nftp://x\n//evil",
)
_PATHS = (
    b"s/abcdecfc78a3112345678/rpc/x?y=z",
    b"s/abcdecfc78a3112345678/p/8080/a/%2e%2e/b",
    b"root/s/abcdecfc78a3112345678/p/99999",
    b"static/a%2f..%5c..;x/%00%zz?/../",
    b"ide/assets/index-abc.js",
)
_STRANGE = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b":",
    b" ",
    b"\t",
    b";",
    b"0",
    b"chunked",
    b"%2e",
    b"/",
    b"\xa0",
    b"\x85",
    b",",
)


def seeds(target: str) -> list[bytes]:
    """The beginnings for a target."""
    streams = [case.data for case in corpus() if len(case.data) < 4096]
    if target == "requests":
        return [bytes([number % 256]) + stream for number, stream in enumerate(streams)]
    if target == "chunks":
        bodies = [stream.partition(b"\r\n\r\n")[2] for stream in streams if b"chunked" in stream]
        return [bytes([number % 256]) + body for number, body in enumerate(bodies)]
    return list({"answers": _ANSWERS, "cookies": _COOKIES, "forwarded": _FORWARDED, "paths": _PATHS}[target])


def mutated(target: str, seed: int, count: int) -> Iterator[bytes]:
    """So many inputs near the seeds, the same ones for the same seed."""
    chance = random.Random(f"{target} {seed}")
    known = seeds(target)
    if target == "requests":
        known += [b"\x07" + case.data for case in generated(seed, count // 4, first=0)]
    for _ in range(count):
        data = bytearray(chance.choice(known))
        for _ in range(chance.randrange(4)):
            _mutate(data, chance)
        yield bytes(data)


def _mutate(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data) + 1)
    action = chance.randrange(4)
    if action == 0:
        data[place:place] = chance.choice(_STRANGE)
    elif action == 1:
        del data[place : place + chance.randrange(1, 8)]
    elif action == 2:
        data[place : place + 1] = bytes([chance.randrange(256)])
    else:
        start = chance.randrange(len(data) + 1)
        data[place:place] = data[start : start + chance.randrange(40)]
