"""Files of the working directory, through a real session."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.rsession.remote.conftest import Program
from tests.rsession.running import connect

pytestmark = pytest.mark.r


NO_FILE = b'--line\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--line--\r\n'


def form(*files: tuple[str, bytes], star: bool = False) -> tuple[bytes, str]:
    """Body and content type."""
    name = "filename*=utf-8''%s" if star else 'filename="%s"'
    parts = [
        f'--line\r\nContent-Disposition: form-data; name="file"; {name % given}\r\n\r\n'.encode() + data + b"\r\n"
        for given, data in files
    ]
    return b"".join(parts) + b"--line--\r\n", "multipart/form-data; boundary=line"


def upload(program: Program, *files: tuple[str, bytes], star: bool = False) -> tuple[int, str]:
    body, kind = form(*files, star=star)
    answer = program.session.http("POST", "/remote/files", body, **{"Content-Type": kind})
    return answer.status, answer.read().decode()


def folder(program: Program) -> Path:
    return Path(program.execute("cat(getwd())")["consoleOutput"])


@pytest.mark.parametrize("name", ["a.txt", "a b.txt", "größe.csv", "日本.bin", "sub/deep/x", "100%.txt"])
def test_up_and_down(program: Program, name: str) -> None:
    data = os.urandom(3_000_000)
    assert upload(program, (name, data)) == (201, "")
    assert name in program.send("GET", "files")[1]
    assert program.send("GET", f"files/{quote(name)}") == (200, data)
    assert program.send("DELETE", f"files/{quote(name)}") == (200, "")
    assert program.send("GET", f"files/{quote(name)}")[0] == 404
    assert program.send("DELETE", f"files/{quote(name)}")[0] == 404


def test_a_name_in_the_newer_form(program: Program) -> None:
    assert upload(program, ("gr%C3%B6%C3%9Fe", b"x"), star=True) == (201, "")
    assert "größe" in program.send("GET", "files")[1]


def test_r_sees_them_and_makes_them(program: Program) -> None:
    upload(program, ("in.txt", b"from outside\n"))
    assert program.execute("readLines('in.txt')")["consoleOutput"] == '[1] "from outside"\n'
    program.execute("writeLines('from R', 'out.txt')")
    assert program.send("GET", "files/out.txt") == (200, b"from R\n")


def test_several_and_over_older_ones(program: Program) -> None:
    assert upload(program, ("one", b"1"), ("two", b"2"))[0] == 201
    assert upload(program, ("two", b""))[0] == 201
    assert (program.send("GET", "files/one")[1], program.send("GET", "files/two")[1]) == (b"1", b"")


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a/../../x", ".", "..", "a//b", "a/"])
def test_no_way_out(program: Program, name: str) -> None:
    status, why = upload(program, (name, b"x"))
    assert (status, "working directory" in why) == (400, True)
    assert program.send("GET", f"files/{name}")[0] in {400, 404}
    assert not (folder(program).parent / "out").exists()


def test_no_way_out_by_links(program: Program) -> None:
    (folder(program) / "etc").symlink_to("/etc")
    (folder(program) / "passwd").symlink_to("/etc/passwd")
    assert program.send("GET", "files/etc/passwd")[0] == 400
    assert program.send("GET", "files/passwd")[0] == 404
    assert upload(program, ("etc/x", b"x"))[0] == 400


def test_special_files_are_none(program: Program) -> None:
    os.mkfifo(folder(program) / "fifo")
    assert program.send("GET", "files/fifo")[1]["message"] == "fifo is no regular file."
    assert "fifo" not in program.send("GET", "files")[1]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=line", b""),
        ("multipart/form-data; boundary=line", b"junk"),
        ("multipart/form-data; boundary=line", form(("cut", b"x" * 2_000_000))[0][:-20]),
        (
            "multipart/form-data; boundary=line",
            b'--line\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--line--\r\n',
        ),
    ],
)
def test_what_is_no_form_changes_nothing(program: Program, kind: str, body: bytes) -> None:
    before = program.send("GET", "files")[1]
    answer = program.session.http("POST", "/remote/files", body, **{"Content-Type": kind})
    assert (answer.status, len(answer.read()) > 10) == (400, True)
    program.session.hang_up()
    assert program.send("GET", "files")[1] == before
    assert list((folder(program).parent / "uploads").glob("*")) == []


def test_a_client_that_goes_away_leaves_nothing(program: Program) -> None:
    body, kind = form(("half", b"x" * 4_000_000))
    head = f"POST /remote/files HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    client = connect(program.session.socket_path)
    client.sendall(head.encode() + body[:3_000_000])
    uploads = folder(program).parent / "uploads"
    while not list(uploads.glob("*")):
        pass
    client.close()
    while list(uploads.glob("*")):
        pass
    assert "half" not in program.send("GET", "files")[1]
