"""Files that come with the program."""

import gzip
from pathlib import Path

import pytest

from rserver.web.request import RequestHead, Response
from rserver.web.static_files import StaticFiles


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    folder = tmp_path / "ide"
    (folder / "assets").mkdir(parents=True)
    (folder / "assets" / "index-B1x2y3Z_.js").write_text("script")
    (folder / "assets" / "index-B1x2y3Z_.js.gz").write_bytes(b"packed")
    (folder / "home-sessions.js").write_text("plain script")
    (folder / "logo.png").write_bytes(b"numbers")
    (folder / ".secret").write_text("hidden")
    (tmp_path / "outside").write_text("outside")
    (folder / "link").symlink_to(tmp_path / "outside")
    return StaticFiles({"ide": folder})


def ask(files: StaticFiles, name: str, method: str = "GET", prefix: str = "ide", **headers: str) -> Response:
    named = {field.replace("_", "-"): value for field, value in headers.items()}
    return files.respond(RequestHead(method, "/", "", named, {}, ("", 0)), prefix, name)


def test_hashed_files_are_kept_for_ever(files: StaticFiles) -> None:
    response = ask(files, "assets/index-B1x2y3Z_.js")
    assert (response.status, response.body) == (200, b"script")
    assert response.content_type == "text/javascript; charset=utf-8"
    assert "immutable" in response.cache_control


def test_others_are_asked_for_again(files: StaticFiles) -> None:
    assert ask(files, "home-sessions.js").cache_control == "no-cache"
    assert ask(files, "logo.png").content_type == "image/png"


def test_unchanged_file_is_not_sent_again(files: StaticFiles) -> None:
    tag = dict(ask(files, "logo.png").headers)["ETag"]
    response = ask(files, "logo.png", if_none_match=f'W/"x", {tag}')
    assert (response.status, response.body) == (304, b"")


def test_packed_twin_is_sent_to_those_who_unpack(files: StaticFiles) -> None:
    response = ask(files, "assets/index-B1x2y3Z_.js", accept_encoding="gzip, br")
    assert (response.body, dict(response.headers)["Content-Encoding"]) == (b"packed", "gzip")
    assert ask(files, "assets/index-B1x2y3Z_.js", accept_encoding="gzip;q=0, br").body == b"script"
    assert ask(files, "assets/index-B1x2y3Z_.js", accept_encoding="x-gzip").body == b"script"


def test_each_encoding_has_a_tag_of_its_own(files: StaticFiles) -> None:
    name = "assets/index-B1x2y3Z_.js"
    packed, plain = (dict(ask(files, name, accept_encoding=each).headers)["ETag"] for each in ("gzip", ""))
    assert packed != plain
    assert ask(files, name, accept_encoding="gzip", if_none_match=packed).status == 304
    assert ask(files, name, accept_encoding="gzip", if_none_match=plain).status == 200


def test_what_was_not_packed_when_it_was_built_is_packed_now(tmp_path: Path) -> None:
    (tmp_path / "long.css").write_text("a { color: red }\n" * 100)
    (tmp_path / "short.css").write_text("a { color: red }\n")
    files = StaticFiles({"static": tmp_path})
    response = ask(files, "long.css", prefix="static", accept_encoding="gzip, br")
    assert gzip.decompress(response.body).startswith(b"a { color: red }")
    assert ask(files, "short.css", prefix="static", accept_encoding="gzip").body == b"a { color: red }\n"


@pytest.mark.parametrize(
    ("wanted", "status", "body", "part"),
    [
        ("bytes=0-3", 206, b"numb", "bytes 0-3/7"),
        ("bytes=4-", 206, b"ers", "bytes 4-6/7"),
        ("bytes=-2", 206, b"rs", "bytes 5-6/7"),
        ("bytes=-99", 206, b"numbers", "bytes 0-6/7"),
        ("bytes=5-99", 206, b"rs", "bytes 5-6/7"),
        ("bytes=7-", 416, b"no such range\n", "bytes */7"),
        ("bytes=-0", 416, b"no such range\n", "bytes */7"),
        ("bytes=3-1", 200, b"numbers", None),
        ("bytes=0-1,3-4", 200, b"numbers", None),
        ("lines=1-2", 200, b"numbers", None),
        ("bytes=a-", 200, b"numbers", None),
    ],
)
def test_parts(files: StaticFiles, wanted: str, status: int, body: bytes, part: str | None) -> None:
    response = ask(files, "logo.png", range=wanted)
    assert (response.status, response.body, dict(response.headers).get("Content-Range")) == (status, body, part)
    other = ask(files, "logo.png", range=wanted, if_range='"another"')
    assert (other.status, other.body) == (200, b"numbers")


@pytest.mark.parametrize("name", ["", "none", ".secret", "link", "assets", "../outside", "assets/index-B1x2y3Z_.js.gz"])
def test_what_is_not_served(files: StaticFiles, name: str) -> None:
    assert ask(files, name).status == 404


def test_bundle_that_was_built_again(tmp_path: Path) -> None:
    files = StaticFiles({"ide": tmp_path / "ide"})
    assert ask(files, "a.js").status == 404
    for name in ("a.js", "assets/b.js", "assets/c.js"):
        path = tmp_path / "ide" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("script")
        assert ask(files, name).status == 200


def test_unknown_prefix(files: StaticFiles) -> None:
    assert ask(files, "logo.png", prefix="other").status == 404


def test_files_are_only_read(files: StaticFiles) -> None:
    assert ask(files, "logo.png", method="POST").status == 405
    assert ask(files, "logo.png", method="HEAD").status == 200
