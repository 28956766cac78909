"""What a session reads about the visitor: nobody but proxies that are named is believed."""

from pathlib import Path

import pytest

from rserver.proxy.settings import FrontSettings
from rserver.proxy.trusted_proxies import TrustedProxies
from tests.rserver.proxy.world import SID, World, running_world

SAID = (
    "X-Forwarded-For: 6.6.6.6, 198.51.100.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: example.org",
    "X-RStudio-Root-Path: /r",
    "X-RS-User: root",
    "X-RS-Base-Path: /evil/",
    "X-Real-IP: 6.6.6.6",
    "Forwarded: for=6.6.6.6",
    "X_Forwarded_For: 6.6.6.6",
)


def told(world: World) -> dict[str, str]:
    """What the session is told, by lower-case name; a name that comes twice fails."""
    world.ask("/x", *SAID)
    lines = world.session.accept().head().decode().split("\r\n")[1:-2]
    pairs = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_a_stranger_is_not_believed(world: World) -> None:
    assert told(world) == {
        "host": "here",
        "x-rs-base-path": f"/s/{SID}/",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "here",
        "x-rs-user": "alice",
    }


@pytest.mark.parametrize(
    ("trusted", "address"),
    [(["127.0.0.1"], "198.51.100.7"), (["127.0.0.0/8", "198.51.100.0/24"], "6.6.6.6")],
)
def test_a_named_proxy_is_believed_up_to_the_first_stranger(tmp_path: Path, trusted: list[str], address: str) -> None:
    with running_world(tmp_path, FrontSettings(trusted_proxies=TrustedProxies(trusted))) as world:
        assert told(world) == {
            "host": "here",
            "x-rs-base-path": f"/r/s/{SID}/",
            "x-forwarded-for": address,
            "x-forwarded-proto": "https",
            "x-forwarded-host": "example.org",
            "x-rs-user": "alice",
        }
