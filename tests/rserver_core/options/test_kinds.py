"""What each kind of option accepts."""

from typing import Any

import pytest

from rserver_core.options.kinds import Choice, Flag, FrameOrigin, Header, Integer, Kind, Names, NotAllowed, Path, Text
from rserver_core.options.uid_min import MinimumUid, system_uid_min

ENVIRON = {"HOME": "/home/ann", "XDG_RUNTIME_DIR": "/run/user/7/"}

GOOD: list[tuple[Kind, str, Any]] = [
    (Flag(), "1", True),
    (Flag(), "0", False),
    (Integer(0, 9), "9", 9),
    (Integer(-5, 9), "-5", -5),
    (Integer(0, 99), "007", 7),
    (Text("x", "[a-z]+"), "abc", "abc"),
    (Path(), "/a/b/", "/a/b"),
    (Path(), "/", "/"),
    (Path(), "~/x", "/home/ann/x"),
    (Path(), "~", "/home/ann"),
    (Path(), "$XDG_RUNTIME_DIR/r", "/run/user/7/r"),
    (Path(empty=True), "", ""),
    (Choice(("", "lax")), "", ""),
    (Choice(("", "lax")), "lax", "lax"),
    (Names(), "", ()),
    (Names(), "staff, r-users", ("staff", "r-users")),
    (Header(), "X-A:  b c ", "X-A: b c"),
    (FrameOrigin(), "same", "same"),
    (FrameOrigin(), "https://a.example:8443", "https://a.example:8443"),
    (MinimumUid(), "0", 0),
    (MinimumUid(), "4294967294", 4294967294),
]

BAD: list[tuple[Kind, str]] = [
    (Flag(), "yes"),
    (Flag(), ""),
    (Integer(0, 9), "10"),
    (Integer(0, 9), "-1"),
    (Integer(0, 9), "1.0"),
    (Integer(0, 9), "٣"),
    (Integer(0, 9), "9" * 5000),
    (Integer(0, 9), " 1"),
    (Text("x", "[a-z]+"), "abc\n"),
    (Path(), ""),
    (Path(), "relative"),
    (Path(), "$NOT_THERE/x"),
    (Path(), "~other/x"),
    (Choice(("a",)), "A"),
    (Names(), "a,,b"),
    (Names(), "-rf"),
    (Names(), "a b"),
    (Header(), "no colon"),
    (Header(), "Content-Length: 3"),
    (Header(), "transfer-encoding: chunked"),
    (Header(), "Set-Cookie: a=b"),
    (Header(), "X-A: b\r\nSet-Cookie: c"),
    (Header(), "Bad Name: x"),
    (FrameOrigin(), "javascript:alert(1)"),
    (FrameOrigin(), "https://a.example; script-src *"),
    (MinimumUid(), "4294967295"),
    (MinimumUid(), "-1"),
]


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_good(kind: Kind, text: str, value: object) -> None:
    assert kind.read(text, ENVIRON) == value


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_bad(kind: Kind, text: str) -> None:
    with pytest.raises(NotAllowed):
        kind.read(text, ENVIRON)


@pytest.mark.parametrize("kind", [kind for kind, _, _ in GOOD])
def test_every_kind_says_what_it_allows(kind: Kind) -> None:
    assert kind.allowed.isprintable()


@pytest.mark.parametrize(
    ("content", "uid"),
    [
        ("UID_MIN  500\n", 500),
        ("#UID_MIN 1\nUID_MAX 9\n", 1000),
        ("SYS_UID_MIN 101\n\tUID_MIN\t2000 # c", 2000),
        ("", 1000),
    ],
)
def test_uid_min_of_login_defs(tmp_path: Any, content: str, uid: int) -> None:
    (tmp_path / "login.defs").write_text(content)
    assert system_uid_min(str(tmp_path / "login.defs")) == uid


def test_no_login_defs(tmp_path: Any) -> None:
    assert system_uid_min(str(tmp_path / "login.defs")) == 1000
