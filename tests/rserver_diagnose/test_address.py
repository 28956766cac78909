"""Addresses that are looked at."""

import pytest

from rserver_diagnose.address import BadAddress, parse


def test_parts() -> None:
    address = parse("https://r.example.org/a/b/", "127.0.0.1:8443")
    assert (address.host, address.port, address.path, address.connect) == (
        "r.example.org",
        443,
        "/a/b",
        ("127.0.0.1", 8443),
    )
    assert address.url == "https://r.example.org/a/b/"


@pytest.mark.parametrize(
    ("url", "netloc"),
    [
        ("https://r.example.org", "r.example.org"),
        ("https://r.example.org:443/", "r.example.org"),
        ("http://r.example.org:8787/", "r.example.org:8787"),
        ("http://[::1]:80/r", "[::1]"),
    ],
)
def test_what_a_browser_would_send_as_host(url: str, netloc: str) -> None:
    assert parse(url).netloc == netloc


@pytest.mark.parametrize(
    "url",
    [
        "",
        "r.example.org",
        "ftp://r.example.org/",
        "https:///r",
        "https://r.example.org:99999/",
        "https://me@r.example.org/",
        "https://r.example.org/?a",
        "https://r.example.org/a b",
        "https://r.example.org/\r\nX: 1",
        "https://r.exa\r\nmple.org/",
        "https://r.example.org/%2e",
    ],
)
def test_what_is_none(url: str) -> None:
    with pytest.raises(BadAddress):
        parse(url)


@pytest.mark.parametrize(
    "connect", ["r.example.org", ":80", "a:b", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:x", "[::1"]
)
def test_places_to_connect_to_that_are_none(connect: str) -> None:
    with pytest.raises(BadAddress, match=r"^--connect: .* is not HOST:PORT"):
        parse("https://r.example.org/", connect)


@pytest.mark.parametrize("url", ["http://a:b@r.example.org/r/", "https://@r.example.org/", "http://me@[::1]/r?a"])
def test_user_and_password_are_named(url: str) -> None:
    with pytest.raises(BadAddress, match="user or password"):
        parse(url)
