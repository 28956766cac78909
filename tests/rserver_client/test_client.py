"""Both clients against a whole server with real accounts and a real R."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_client import (
    AsyncClient,
    Client,
    NotAllowed,
    NotFound,
    NotSignedIn,
    RCodeError,
    Session,
    Unreachable,
)
from tests.rserver.own_loop import run
from tests.system.accounts import Account, account
from tests.system.program import Program
from tests.system.running_server import RunningServer, running_server

pytestmark = [pytest.mark.root, pytest.mark.r]


@pytest.fixture(scope="module")
def person() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(remote_enabled="1", remote_port="0") as running:
        yield running


@pytest.fixture(scope="module")
def url(server: RunningServer) -> str:
    return f"http://127.0.0.1:{Program(server).port}"


@pytest.fixture(scope="module")
def client(url: str, person: Account) -> Iterator[Client]:
    with Client(url, person.name, person.password) as made:
        yield made


@pytest.fixture(scope="module")
def session(client: Client) -> Iterator[Session]:
    with client.new_session("tests") as made:
        yield made


def test_code_and_what_comes_of_it(session: Session) -> None:
    result = session.run(
        "y <- x * 2; cat('hello\\n'); writeLines('a', 'a.txt')", inputs={"x": [1, 2]}, outputs=["y"]
    ).check()
    assert (result.output, result.files, result.values) == ("hello\n", ("a.txt",), {"y": [2, 4]})


def test_an_error_of_r(session: Session) -> None:
    result = session.run("cat('before\\n'); stop('no')")
    assert (result.success, result.error) == (False, "Error: no")
    with pytest.raises(RCodeError, match="no") as raised:
        result.check()
    assert raised.value.output == "before\nError: no\n"


def test_sessions(client: Client, person: Account, session: Session) -> None:
    other = client.new_session("other")
    named = {each.id: each for each in client.sessions()}
    assert (named[other.id].name, named[other.id].owner) == ("other", person.name)
    assert client.session(other.id).run("1").output == "[1] 1\n"
    other.end()
    with pytest.raises(NotFound):
        other.run("1")
    assert session.history()[-1:] != ["1"]


def test_files(session: Session, tmp_path: Path) -> None:
    here = tmp_path / "größe 1.bin"
    here.write_bytes(bytes(range(256)) * 5000)
    session.upload(here)
    session.upload(here, "sub/b.bin")
    session.write_file("c.txt", b"c")
    assert {"größe 1.bin", "sub/b.bin", "c.txt"} <= set(session.files())
    session.download("sub/b.bin", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == here.read_bytes()
    assert session.read_file("c.txt") == b"c"
    session.remove_file("c.txt")
    with pytest.raises(NotFound, match=r"c\.txt"):
        session.read_file("c.txt")
    with pytest.raises(NotFound):
        session.download("no-such-file", tmp_path / "nothing")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "größe 1.bin"]


def test_objects(session: Session) -> None:
    session.run("rm(list = ls()); fit <- lm(mpg ~ wt, mtcars)").check()
    data = session.get_rdata("fit")
    session.put_rdata("a copy", data)
    assert session.objects() == ["a copy", "fit"]
    assert session.run("all.equal(fit, `a copy`)").output == "[1] TRUE\n"
    session.remove_object("a copy")
    assert session.objects() == ["fit"]


def test_wrong_password_and_wrong_address(url: str, person: Account) -> None:
    with Client(url, person.name, "wrong") as client, pytest.raises(NotSignedIn, match="password"):
        client.sessions()
    with Client("127.0.0.1:1", "x", "y") as client, pytest.raises(Unreachable, match="cannot be reached"):
        client.sessions()


def test_tokens_that_have_ended_are_renewed(person: Account) -> None:
    with (
        running_server(remote_enabled="1", remote_port="0", remote_token_seconds="1") as server,
        Client(f"127.0.0.1:{Program(server).port}", person.name, person.password) as client,
        client.new_session() as session,
    ):
        assert session.run("Sys.sleep(1.2); 1").output == "[1] 1\n"
        assert session.run("2").output == "[1] 2\n"


def test_a_certificate_that_nobody_trusts(person: Account, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run(
        [*command, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    with running_server(
        remote_enabled="1",
        remote_port="0",
        ssl_enabled="1",
        ssl_certificate=str(certificate),
        ssl_certificate_key=str(key),
    ) as server:
        address = f"https://127.0.0.1:{Program(server).port}"
        with Client(address, person.name, person.password) as client, pytest.raises(Unreachable, match="self-signed"):
            client.sessions()
        with Client(address, person.name, person.password, verify=str(certificate)) as client:
            assert client.sessions() == []


def test_many_at_once(url: str, person: Account) -> None:
    async def use() -> None:
        async with AsyncClient(url, person.name, person.password) as client:
            sessions = await asyncio.gather(*(client.new_session(f"number {number}") for number in range(3)))
            results = await asyncio.gather(*(each.run("Sys.getpid()") for each in sessions))
            assert len({result.output for result in results}) == 3
            first = sessions[0]
            await first.write_file("a.txt", b"abc")
            assert [piece async for piece in first.file_pieces("a.txt")] == [b"abc"]
            assert await first.files() == ["a.txt"]
            running = asyncio.create_task(first.run("cat('begun'); Sys.sleep(600)"))
            while "begun" not in await first.console_output():
                pass
            with pytest.raises(NotAllowed, match="busy"):
                await first.end()
            await first.cancel()
            assert "cancelled" in (await running).error
            for each in sessions:
                await each.end(force=True)

    begun = time.monotonic()
    run(use())
    assert time.monotonic() - begun < 300
