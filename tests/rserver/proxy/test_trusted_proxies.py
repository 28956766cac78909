"""What proxies in front say, and of whom it is believed."""

import pytest

from rserver.proxy.trusted_proxies import Browser, TrustedProxies

PLAIN = Browser("10.0.0.9", False, "inside:8787", "")


def seen(headers: dict[str, str], peer: str = "10.0.0.9") -> Browser:
    return TrustedProxies(["10.0.0.0/8", "::1", "192.0.2.7"]).browser(peer, headers, PLAIN)


def test_strangers_are_not_believed() -> None:
    said = {"x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https", "x-rstudio-root-path": "/r"}
    assert seen(said, "9.9.9.9") == PLAIN
    assert TrustedProxies().browser("10.0.0.9", said, PLAIN) == PLAIN


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.1.1.1, 192.0.2.7", "1.2.3.4"),
        ("10.1.1.1", "10.1.1.1"),
        ("1.2.3.4, nonsense", "10.0.0.9"),
        ("1.2.3.4, nonsense, 10.1.1.1", "10.1.1.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0 <invented>", "fe80::1"),
        (",".join(["10.1.1.1"] * 1000), "10.1.1.1"),
        ("", "10.0.0.9"),
    ],
)
def test_the_first_stranger_from_the_right_is_the_browser(forwarded_for: str, address: str) -> None:
    assert seen({"x-forwarded-for": forwarded_for}).address == address


def test_addresses_of_version_4_in_the_dress_of_6() -> None:
    assert seen({"x-forwarded-proto": "https"}, "::ffff:10.0.0.9").secure


@pytest.mark.parametrize(
    ("url", "secure", "host"),
    [
        ("https://example.org/r/x?y", True, "example.org"),
        ("http://example.org:8080/", False, "example.org:8080"),
        ("https://[2001:db8::1]:8443/", True, "[2001:db8::1]:8443"),
        ("ftp://example.org/", False, "inside:8787"),
        ("https://user@example.org/", False, "inside:8787"),
        ("https://exa mple.org/", False, "inside:8787"),
        ("https://[::1/", False, "inside:8787"),
    ],
)
def test_the_whole_address(url: str, secure: bool, host: str) -> None:
    found = seen({"x-rstudio-request": url})
    assert (found.secure, found.host) == (secure, host)


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("/r", "/r"),
        ("/a/b/", "/a/b"),
        ("/", ""),
        ("//evil", ""),
        ('/r"x', ""),
        ("r", ""),
        ("/" + "x" * 99, ""),
        ("/../r", ""),
        ("/r/.", ""),
        ("/.r", "/.r"),
    ],
)
def test_the_path_in_front(given: str, root: str) -> None:
    assert seen({"x-rstudio-root-path": given}).root_path == root


@pytest.mark.parametrize("host", ["a b", "a/b", "a@b", "x\r\ny", ""])
def test_hosts_that_are_none(host: str) -> None:
    assert seen({"x-forwarded-host": host}).host == PLAIN.host
