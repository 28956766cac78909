"""What a request looked like when it arrived."""

from typing import Any

import pytest

from rserver_diagnose import arrival
from rserver_diagnose.address import parse

ADDRESS = parse("https://r.example.org/r/")
OWN = ("192.0.2.7", 40000)


def arrived(**more: Any) -> dict[str, Any]:
    """A request that arrived as it should through a proxy; seen_… change what the server believes."""
    seen = {"address": "192.0.2.7", "secure": True, "host": "r.example.org", "root_path": "/r"}
    seen |= {name.removeprefix("seen_"): more.pop(name) for name in list(more) if name.startswith("seen_")}
    return {
        "target": "/r/rs-diagnose/x",
        "version": "1.1",
        "fields": [["x-forwarded-for", "192.0.2.7"], ["x-forwarded-proto", "https"]],
        "peer": ["127.0.0.1", 50000],
        "trusted": True,
        "secure_cookies": False,
        "www_root_path": "/r",
        "seen": seen,
        **more,
    }


def codes(value: dict[str, Any]) -> set[str]:
    return {finding.fault.code for finding in arrival.judged(value, ADDRESS, OWN)}


def test_all_is_well() -> None:
    assert codes(arrived()) == set()
    assert codes(arrived(target="/rs-diagnose/x")) == set()
    assert codes(arrived(seen_host="R.example.org:443")) == set()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"version": "1.0"}, {"http-1.0"}),
        ({"target": "/x"}, {"path-changed"}),
        ({"target": "//rs-diagnose/x"}, {"path-changed"}),
        ({"seen_root_path": "", "www_root_path": ""}, {"path-not-told"}),
        ({"seen_host": "127.0.0.1:8787"}, {"host"}),
        ({"seen_secure": False}, {"scheme"}),
        ({"fields": []}, {"x-forwarded-for"}),
        ({"trusted": False}, {"untrusted"}),
    ],
)
def test_each_fault(more: dict[str, Any], expected: set[str]) -> None:
    assert codes(arrived(**more)) == expected


def test_without_a_proxy_nobody_is_missed() -> None:
    assert codes(arrived(peer=list(OWN), fields=[], trusted=False)) == set()


def test_invented_headers_count_only_when_they_are_believed() -> None:
    passed = arrived(seen_address=arrival.FORGED_ADDRESS)
    assert {finding.fault.code for finding in arrival.forged(passed)} == {"forged"}
    assert list(arrival.forged({**passed, "trusted": False})) == []
