"""Requests that the compiled carrier takes to sessions by itself look to both sides as if Python had carried them."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver.proxy.implementation import IS_COMPILED
from rserver.proxy.settings import FrontSettings
from tests.rserver.proxy.world import OTHER_SID, SID, Session, Wire, World, request, running_world

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="the compiled carrier is not built")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
# Long enough for a whole test, so that only the first request of a kind goes through Python.
PATIENT = FrontSettings(verdict_seconds=600)


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[World]:
    with running_world(tmp_path, PATIENT, compiled=True) as running:
        yield running


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "plain").mkdir()
    with running_world(tmp_path / "plain", PATIENT, compiled=False) as running:
        yield running


def carried(world: World) -> int:
    return world.call(lambda: world.plane._carrier.busy)


class Pair:
    """A client and the session's end of its connection; what was exchanged, request by request."""

    def __init__(self, world: World) -> None:
        self.world, self.client = world, world.client()
        self._end: Wire | None = None

    def exchange(self, asked: bytes, body: int, answer: bytes) -> tuple[bytes, bytes, bool]:
        """(what the session got, what the client got, whether Python was passed by)."""
        self.client.send(asked)
        self._end = self._end or self.world.session.accept()
        got = self._end.head()
        by_itself = carried(self.world) == 1
        got += self._end.exactly(body)
        self._end.send(answer)
        return got, self.client.head() + self.client.exactly(_body_size(answer)), by_itself


def _body_size(answer: bytes) -> int:
    return 0 if b" 304 " in answer else len(answer.rpartition(b"\r\n\r\n")[2])


FIELDS = (
    "Accept: */*",
    "accept-encoding:gzip",
    "User-Agent:  Mozilla \t",
    "X-Empty:",
    "Content-Type: text/plain",
    'If-None-Match: "x"',
    "Range: bytes=0-1",
    "Authorization: Basic eDp5",
    "Referer: http://here/",
    "Origin: http://here",
    "X_Odd: 1",
    "X!Odd: 2",
    "Upgrade: h2c",
    "Keep-Alive: 5",
    "TE: trailers",
    "Trailer: x",
    "Proxy: evil",
    "Proxy-Connection: keep-alive",
    "X-Real-IP: 1.2.3.4",
    "Forwarded: for=1.2.3.4",
    "X-Forwarded-For: 1.2.3.4",
    "X-Forwarded-Host: evil",
    "X-RS-User: root",
    "X-RStudio-Request: http://evil/",
    "X-Latin: \xe9",
    "Connection: keep-alive",
    "Set-Cookie: a=b",
    "Sec-WebSocket-Key: x",
)
TARGETS = ("/x", "/x?a=b&c=%2e%2e", "/rpc/console_input", "/a/b/c.png", "//x", "/x?", "/events2", "/x%20y", "/x;y")
ANSWERS = (
    OK,
    b"HTTP/1.1 404 \r\ncontent-length: 0\r\nX-A:  b \r\nConnection: keep-alive\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: X-Hop, Content-Type\r\nX-Hop: 1\r\nContent-Type: t\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: user-id=evil\r\nSet-Cookie: a=b\r\nProxy: x\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 7\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nabc",
)


@pytest.mark.parametrize("seed", range(25))
def test_both_sides_see_what_python_would_have_shown_them(patient: World, plain: World, seed: int) -> None:
    chance = random.Random(seed)
    ours, theirs = Pair(patient), Pair(plain)
    by_itself = 0
    for _ in range(12):
        fields = chance.sample(FIELDS, chance.randrange(8))
        method = chance.choice(["GET", "POST", "PUT", "DELETE", "OPTIONS", "X-OWN"])
        body = b"b" * chance.choice([0, 0, 1, 300]) if method in {"POST", "PUT"} else b""
        asked = request(f"/s/{SID}{chance.choice(TARGETS)}", *fields, method=method, body=body)
        answer = chance.choice(ANSWERS)
        for _ in range(2):
            seen, expected = ours.exchange(asked, len(body), answer), theirs.exchange(asked, len(body), answer)
            assert seen[:2] == expected[:2]
            by_itself += seen[2]
    assert by_itself >= 8


def settled(world: World, *fields: str, path: str = "/x") -> tuple[Wire, Wire]:
    """A client whose requests of this kind are carried, and the session's end of the kept connection."""
    client = world.ask(path, *fields)
    end = world.session.accept()
    end.head()
    end.send(OK)
    client.answer()
    return client, end


def is_carried(world: World, client: Wire, end: Wire, asked: bytes) -> bool:
    """Send it, and look who carries it."""
    client.send(asked)
    end.head()
    found = carried(world) == 1
    end.send(OK)
    client.answer()
    return found


def again(*fields: str, path: str = "/x", method: str = "GET") -> bytes:
    return request(f"/s/{SID}{path}", *fields, method=method)


def test_a_second_request_is_carried(patient: World) -> None:
    assert is_carried(patient, *settled(patient), again("X-Number: 2", path="/y?z"))


@pytest.mark.parametrize(
    "field",
    ["X-RS-Other: 1", "X-Forwarded-Proto: https", "Authorization: x", "X-RStudio-Root-Path: /x", "Forwarded: x"],
)
def test_whoever_says_something_else_of_themselves_is_looked_at_anew(patient: World, field: str) -> None:
    client, end = settled(patient)
    assert not is_carried(patient, client, end, again(field))
    assert is_carried(patient, client, end, again(field))
    assert is_carried(patient, client, end, again())


@pytest.mark.parametrize("field", ["Origin: http://evil", "Referer: http://evil/"])
def test_where_a_request_comes_from_matters_when_it_may_change_something(patient: World, field: str) -> None:
    client, end = settled(patient)
    assert is_carried(patient, client, end, again(field))
    assert not is_carried(patient, client, end, again(method="POST"))
    assert not is_carried(patient, client, end, again(field, method="POST"))


def test_another_cookie_is_another_caller(patient: World) -> None:
    client, _ = settled(patient)
    stranger = again().replace(b"user-id=alice; ", b"")
    client.send(stranger)
    assert client.answer()[0] == 401


def test_another_token_does_not_pass_for_the_right_one(patient: World) -> None:
    client, end = settled(patient)
    assert not is_carried(patient, client, end, again(method="POST"))
    assert is_carried(patient, client, end, again(method="POST"))
    client.send(again(method="POST").replace(b"Token: abc", b"Token: abd"))
    assert client.answer()[0] == 403


def test_another_session_is_asked_for_anew(patient: World) -> None:
    client, _ = settled(patient)
    client.send(request(f"/s/{OTHER_SID}/x"))
    assert client.answer()[0] == 404


@pytest.mark.parametrize(
    "path", ["/", "/restart", "/p/80/", "/absproxy/80/", "/../x", "/.", "/%2e%2e/x", "/a\\b", "/events", "/%00"]
)
def test_paths_that_are_not_plainly_the_sessions_are_pythons(patient: World, path: str) -> None:
    client, _ = settled(patient)
    client.send(again(path=path))
    patient.until(lambda: patient.plane._carrier.busy == 0)
    if path != "/events":
        client.head()


def test_a_text_of_another_session_teaches_nothing_about_the_own_one(patient: World) -> None:
    # The gate of this world leads to another socket when it is asked for the other session.
    path = f"/collab/{OTHER_SID}/00000000"
    client, end = settled(patient, path=path)
    assert not is_carried(patient, client, end, again())
    assert is_carried(patient, client, end, again())
    assert not is_carried(patient, client, end, again(path=path))


class TestEnds:
    def test_sign_out_breaks_it_off_and_the_next_is_asked_anew(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again())
        end.head()
        assert patient.call(lambda: patient.plane.close_user("alice")) == 1
        assert client.to_end() == b""
        assert end.to_end() == b""
        other = patient.ask("/x")
        fresh = patient.session.accept()
        fresh.head()
        assert carried(patient) == 0
        fresh.send(OK)
        assert other.answer()[0] == 200

    def test_end_of_the_session_breaks_it_off(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again())
        end.head()
        assert patient.call(lambda: patient.plane.close_session(SID)) == 1
        assert client.to_end() == b""

    def test_others_are_left_alone(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again())
        end.head()
        assert patient.call(lambda: patient.plane.close_user("bob") + patient.plane.close_session(OTHER_SID)) == 0
        end.send(OK)
        assert client.answer()[0] == 200

    def test_a_client_that_leaves_ends_the_sessions_work(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again())
        end.head()
        client.close()
        assert end.to_end() == b""

    def test_lost_post_is_told_and_not_repeated(self, patient: World) -> None:
        client, end = settled(patient)
        assert not is_carried(patient, client, end, again(method="POST"))
        client.send(again(method="POST"))
        end.head()
        end.close()
        assert client.answer()[0] == 502
        assert patient.session.nobody_comes()
        patient.events.wait_for("failed")

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            b"rubbish\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        ],
    )
    def test_malformed_answer_is_told(self, patient: World, answer: bytes) -> None:
        client, end = settled(patient)
        assert not is_carried(patient, client, end, again(method="POST"))
        client.send(again(method="POST"))
        end.head()
        end.send(answer)
        assert client.answer()[0] == 502

    def test_half_an_answer_ends_without_an_end(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again())
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        assert client.status_and_fields()[0] == 200
        end.close()
        assert client.to_end() == b"half"


class TestBodies:
    def test_chunks_in_any_pieces(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again())
        end.head()
        body = b"3;ext\r\nabc\r\n5\r\ndefgh\r\n0\r\nTrailer: x\r\n\r\n"
        for byte in b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body:
            end.send(bytes([byte]))
        assert client.status_and_fields()[1]["transfer-encoding"] == "chunked"
        assert _dechunked(client) == b"abcdefgh"
        assert is_carried(patient, client, end, again())

    def test_broken_chunks_break_it_off(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again())
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n")
        assert b"\r\n0\r\n" not in client.to_end()
        patient.events.wait_for("failed")

    def test_until_the_session_closes(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again())
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        end.close()
        client.head()
        assert _dechunked(client) == b"abc"

    def test_large_one_to_a_slow_client(self, patient: World) -> None:
        patient.ask("/x")
        end = patient.session.accept()
        end.head()
        end.send(OK)
        client = patient.client(receive_buffer=4096)
        client.send(again())
        end.head()
        size = 8_000_000
        end.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"m" * 100_000)
        client.head()
        sent = 100_000
        while sent < size:
            end.send(b"m" * 100_000)
            client.skip(100_000)
            sent += 100_000
        client.skip(100_000)
        assert is_carried(patient, client, end, again())

    def test_surplus_ends_the_sessions_connection(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again())
        end.head()
        end.send(OK + b"surplus")
        assert client.answer()[2] == b"ok"
        assert end.to_end() == b""

    def test_head_has_no_body(self, patient: World) -> None:
        client, end = settled(patient)
        client.send(again(method="HEAD"))
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        assert client.status_and_fields()[1]["content-length"] == "99"
        assert is_carried(patient, client, end, again())


def _dechunked(wire: Wire) -> bytes:
    body = b""
    while True:
        line = b""
        while not line.endswith(b"\r\n"):
            line += wire.exactly(1)
        size = int(line, 16)
        body += wire.exactly(size)
        assert wire.exactly(2) == b"\r\n"
        if not size:
            return body


def test_pipelined_requests_are_answered_in_order(patient: World) -> None:
    client, end = settled(patient)
    client.send(again(path="/1"))
    end.head()
    client.send(again(path="/2"))
    end.send(OK)
    client.answer()
    assert end.head().startswith(b"GET /2 ")
    end.send(OK)
    assert client.answer()[2] == b"ok"


def test_limit_of_an_account_holds(tmp_path: Path) -> None:
    with running_world(tmp_path, FrontSettings(verdict_seconds=600, max_per_user=2), compiled=True) as world:
        client, end = settled(world)
        client.send(again())
        end.head()
        second = world.ask("/x")
        world.session.accept().head()
        third = world.ask("/x")
        assert third.answer()[0] == 503
        end.send(OK)
        assert client.answer()[0] == 200
        second.close()


def test_limit_of_an_account_counts_websockets_too(tmp_path: Path) -> None:
    with running_world(tmp_path, FrontSettings(verdict_seconds=600, max_per_user=3), compiled=True) as world:
        websockets = [world.open_websocket() for _ in range(2)]
        client, end = settled(world)
        client.send(again())
        end.head()
        other = world.client()
        other.send(again())
        assert other.answer()[0] == 503
        for wire in websockets[0]:
            wire.close()
        world.until(lambda: world.plane.carried == 2)
        other.send(again())
        second = world.session.accept()
        second.head()
        for wire in (end, second):
            wire.send(OK)
        assert [wire.answer()[0] for wire in (client, other)] == [200, 200]


def test_what_was_decided_is_asked_anew_after_a_moment(tmp_path: Path) -> None:
    with running_world(tmp_path, FrontSettings(verdict_seconds=1), compiled=True) as world:
        client, end = settled(world)
        world.gate.renewal = ("renewed=1",)
        fields: dict[str, str] = {}
        while "set-cookie" not in fields:
            client.send(again())
            end.head()
            end.send(OK)
            fields = client.answer()[1]


def test_a_socket_of_somebody_else_gets_nothing(tmp_path: Path) -> None:
    with running_world(tmp_path, FrontSettings(verdict_seconds=600), compiled=True) as world:
        client, end = settled(world)
        world.session.close()
        end.close()
        impostor = Session(f"{world.session.path}.new")
        impostor.listen_as(12345)
        Path(impostor.path).rename(world.session.path)
        client.send(again())
        assert client.answer()[0] == 502
        impostor.close()
