"""Where requests go."""

import pytest

from rserver.proxy.router import (
    BadPath,
    MovedRoute,
    PageRoute,
    PortRoute,
    Route,
    SessionRoute,
    StaticRoute,
    UnknownSessionRoute,
    route,
    split_target,
)

SID = "abcdecfc78a3112345678"
PAGE, API, IDE = PageRoute(), PageRoute(token=True), PageRoute(signed_in=True, token=True)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/", PAGE),
        ("/auth-sign-in", PAGE),
        ("/health-check", PAGE),
        ("/s", PAGE),
        ("/api", PAGE),
        ("/api/sessions", API),
        (f"/s/{SID}", MovedRoute(f"/s/{SID}/")),
        (f"/s/{SID}/", IDE),
        (f"/s/{SID}/rpc/client_init", SessionRoute(SID, "/rpc/client_init")),
        (f"/s/{SID}//x", SessionRoute(SID, "//x")),
        (f"/s/{SID}/%41", SessionRoute(SID, "/%41")),
        (f"/s/{SID}/p/3838/a%20b", PortRoute(SID, 3838, "/a%20b")),
        (f"/s/{SID}/p/3838", MovedRoute(f"/s/{SID}/p/3838/")),
        (f"/s/{SID}/absproxy/3838/a%20b", PortRoute(SID, 3838, "/a%20b", True)),
        (f"/s/{SID}/absproxy/3838", MovedRoute(f"/s/{SID}/absproxy/3838/")),
        (f"/s/{SID}/absproxy/65536/", PortRoute(SID, 0, "/", True)),
        (f"/s/{SID}/absproxy", SessionRoute(SID, "/absproxy")),
        (f"/s/{SID}0/", UnknownSessionRoute()),
        (f"/s/{SID[:-1]}/", UnknownSessionRoute()),
        (f"/s/{SID.upper()}/", UnknownSessionRoute()),
        (f"/s/{SID[:-1]}g/", UnknownSessionRoute()),
        ("/s/", UnknownSessionRoute()),
        (f"/%73/{SID}/", PAGE),
        (f"//s/{SID}/", PAGE),
        ("/ide/assets/a.js", StaticRoute("ide", "assets/a.js")),
        ("/static/x.css", StaticRoute("static", "x.css")),
        ("/static", PAGE),
    ],
)
def test_routes(path: str, where: Route) -> None:
    assert route(path) == where


@pytest.mark.parametrize(
    ("target", "root", "parts"),
    [
        ("/a?b=c?d", "", ("/a", "b=c?d")),
        ("/a?", "", ("/a", "")),
        ("/r/a", "/r", ("/a", "")),
        ("/r", "/r", ("/", "")),
        ("/r?x", "/r", ("/", "x")),
        ("/rr/a", "/r", ("/rr/a", "")),
        ("/a", "/r", ("/a", "")),
        ("/deep/er/a", "/deep/er", ("/a", "")),
        ("/a?x=/../y", "", ("/a", "x=/../y")),
        ("/a..b/.hidden/...", "", ("/a..b/.hidden/...", "")),
        ("/%41%2f%c3%A9?100%", "", ("/%41%2f%c3%A9", "100%")),
    ],
)
def test_splitting_targets(target: str, root: str, parts: tuple[str, str]) -> None:
    assert split_target(target, root) == parts


@pytest.mark.parametrize(
    "target",
    [
        "/..",
        "/../x",
        "/a/../b",
        "/a/.",
        "/./a",
        "/a/%2e%2E/b",
        "/a/.%2e",
        "/a/..%2fb",
        "/a/..\\b",
        "/a\\b",
        "/a%00",
        "/a/..%5c",
        "/a%2f..%2fb",
        "/a%2F.%2e",
        "/a%5c../b",
        "/a/..;x/b",
        "/a/..%3Bx",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%%41",
    ],
)
def test_ambiguous_paths_are_refused(target: str) -> None:
    with pytest.raises(BadPath):
        split_target(target, "")
