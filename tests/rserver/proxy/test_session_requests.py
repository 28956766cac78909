"""Requests to sessions over real sockets."""

import json

import pytest

from rserver.web.responses import html, rpc_error
from tests.rserver.proxy.world import COOKIE, OTHER_SID, SID, UPGRADE, World, request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"


def error_of(body: bytes) -> int:
    code = json.loads(body)["error"]["code"]
    assert isinstance(code, int)
    return code


def test_request_and_answer(world: World) -> None:
    client = world.ask("/ping?x=1", "X-RS-User: root", "X-Forwarded-For: 6.6.6.6")
    end = world.session.accept()
    lines = end.head().decode().split("\r\n")
    assert lines == [
        "GET /ping?x=1 HTTP/1.1",
        "host: here",
        f"X-RS-Base-Path: /s/{SID}/",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: here",
        "X-RS-User: alice",
        "",
        "",
    ]
    end.send(OK)
    assert client.answer() == (200, {"content-length": "4"}, b"pong")
    world.events.wait_for("disconnected")
    assert world.events.seen == [("connected",), ("first_byte",), ("disconnected",)]


def test_connections_are_kept_on_both_sides(world: World) -> None:
    client = world.ask("/ping")
    end = world.session.accept()
    for _ in range(3):
        end.head()
        end.send(OK)
        assert client.answer()[2] == b"pong"
        world.ask("/ping", wire=client)
    assert world.session.nobody_comes()


def test_body_of_known_length(world: World) -> None:
    client = world.ask("/rpc/x", method="POST", body=b"hello")
    end = world.session.accept()
    assert b"content-length: 5\r\n" in end.head()
    assert end.exactly(5) == b"hello"
    end.send(OK)
    assert client.answer()[2] == b"pong"


def test_chunks_are_framed_anew(world: World) -> None:
    client = world.ask("/rpc/x", "Transfer-Encoding: chunked", method="POST")
    end = world.session.accept()
    assert b"transfer-encoding: chunked\r\n" in end.head()
    client.send(b"2;ext=1\r\nab\r\n1\r\nc\r\n")
    client.send(b"0\r\nTrailer: dropped\r\n\r\n")
    received = b""
    while not received.endswith(b"0\r\n\r\n"):
        received += end.exactly(1)
    assert b"Trailer" not in received
    assert b"ext" not in received
    end.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: x\r\n\r\n")
    assert client.status_and_fields() == (200, {"transfer-encoding": "chunked"})
    assert client.exactly(13) == b"3\r\nabc\r\n0\r\n\r\n"
    world.ask("/ping", wire=client)
    assert end.head().startswith(b"GET /ping ")


def test_answer_until_close_is_chunked(world: World) -> None:
    client = world.ask("/x")
    end = world.session.accept()
    end.head()
    end.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert client.status_and_fields() == (200, {"transfer-encoding": "chunked"})
    assert client.exactly(8) == b"3\r\nabc\r\n"
    end.close()
    assert client.exactly(5) == b"0\r\n\r\n"
    world.ask("/ping", wire=client)
    world.session.accept().head()


def test_http_1_0_client_gets_an_unframed_answer(world: World) -> None:
    client = world.client()
    client.send(request(f"/s/{SID}/x", version="1.0"))
    end = world.session.accept()
    assert end.head().startswith(b"GET /x HTTP/1.1\r\n")
    end.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert client.to_end() == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc"


@pytest.mark.parametrize(
    ("method", "head", "fields"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", {"content-length": "99"}),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {}),
        ("HEAD", b"HTTP/1.1 200 OK\r\n\r\n", {}),
        ("GET", b"HTTP/1.1 204 None\r\n\r\n", {}),
        ("GET", b"HTTP/1.1 304 Same\r\nContent-Length: 99\r\nETag: x\r\n\r\n", {"content-length": "99", "etag": "x"}),
    ],
)
def test_answers_without_body(world: World, method: str, head: bytes, fields: dict[str, str]) -> None:
    client = world.ask("/x", method=method)
    end = world.session.accept()
    end.head()
    end.send(head)
    assert client.status_and_fields()[1] == fields
    world.ask("/ping", wire=client)
    assert end.head().startswith(b"GET /ping ")


def test_interim_answers_are_swallowed(world: World) -> None:
    client = world.ask("/x")
    end = world.session.accept()
    end.head()
    end.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK)
    assert client.answer()[0] == 200


def test_interim_answers_without_end_are_malformed(world: World) -> None:
    client = world.ask("/x", method="POST")
    end = world.session.accept()
    end.head()
    end.send(b"HTTP/1.1 102 Wait\r\n\r\n" * 17 + OK)
    status, _, body = client.answer()
    assert (status, error_of(body)) == (502, 200)
    assert end.to_end() == b""


def test_pipelined_requests_are_answered_in_order(world: World) -> None:
    client = world.client()
    client.send(request(f"/s/{SID}/1") + request("/page") + request(f"/s/{SID}/2", method="POST", body=b"xyz"))
    end = world.session.accept()
    assert end.head().startswith(b"GET /1 ")
    end.send(OK)
    assert client.answer()[2] == b"pong"
    assert client.answer()[2] == b"GET /page alice 0"
    assert end.head().startswith(b"POST /2 ")
    assert end.exactly(3) == b"xyz"
    end.send(OK)
    assert client.answer()[2] == b"pong"


def test_many_pipelined_pages_do_not_go_deep(world: World) -> None:
    client = world.client()
    count = 3000
    client.send(b"GET /static/none HTTP/1.1\r\nHost: here\r\n\r\n" * count)
    for _ in range(count):
        assert client.answer()[0] == 404


class TestContinue:
    def test_body_is_asked_for_once_the_session_is_there(self, world: World) -> None:
        client = world.ask("/x", "Expect: 100-continue", "Content-Length: 3", method="POST")
        assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"abc")
        end = world.session.accept()
        assert b"expect" not in end.head()
        assert end.exactly(3) == b"abc"
        end.send(OK)
        assert client.answer()[0] == 200

    def test_refusal_does_not_ask_for_the_body(self, world: World) -> None:
        client = world.client()
        client.send(b"POST /s/%b/x HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\n" % SID.encode())
        client.send(b"Content-Length: 3\r\n\r\n")
        status, fields, _ = client.answer()
        assert (status, fields["connection"]) == (401, "close")
        assert client.to_end() == b""

    def test_no_continue_after_the_body_began(self, world: World) -> None:
        client = world.client()
        client.send(request(f"/s/{SID}/x", "Expect: 100-continue", method="POST", body=b"abc"))
        end = world.session.accept()
        end.head()
        end.send(OK)
        assert client.answer()[0] == 200


class TestEarlyAnswer:
    def test_answer_before_the_body_ends_closes_both(self, world: World) -> None:
        client = world.ask("/x", "Content-Length: 1000000", method="POST")
        client.send(b"a" * 1000)
        end = world.session.accept()
        end.head()
        end.send(b"HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno")
        status, fields, body = client.answer()
        assert (status, fields["connection"], body) == (413, "close", b"no")
        assert end.to_end() == b"a" * 1000
        client.send(b"b" * 100_000)
        assert client.to_end() == b""

    def test_client_that_goes_on_writing_still_reads_the_answer(self, world: World) -> None:
        client = world.ask("/x", "Content-Length: 50000000", method="POST")
        end = world.session.accept()
        end.head()
        end.send(b"HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno")
        for _ in range(200):
            client.send(b"b" * 10_000)
        assert client.answer()[2] == b"no"

    def test_refused_small_body_is_read_and_the_connection_stays(self, world: World) -> None:
        client = world.client()
        client.send(b"POST /s/%b/x HTTP/1.1\r\nHost: here\r\nContent-Length: 6\r\n\r\nabc" % SID.encode())
        assert client.silent()
        client.send(b"def")
        status, fields, body = client.answer()
        assert (status, error_of(body)) == (401, 3)
        assert "connection" not in fields
        world.ask("/ping", wire=client)
        world.session.accept().head()

    def test_refused_large_body_is_not_awaited(self, world: World) -> None:
        client = world.client()
        client.send(b"POST /s/%b/x HTTP/1.1\r\nHost: here\r\nContent-Length: 600000\r\n\r\nabc" % SID.encode())
        status, fields, _ = client.answer()
        assert (status, fields["connection"]) == (401, "close")


class TestRefusals:
    def test_not_signed_in_is_code_3_for_programs(self, world: World) -> None:
        client = world.client()
        client.send(b"GET /s/%b/rpc/x HTTP/1.1\r\nHost: here\r\n\r\n" % SID.encode())
        status, _, body = client.answer()
        assert (status, error_of(body)) == (401, 3)

    @pytest.mark.parametrize("fields", [b"Sec-Fetch-Mode: navigate\r\n", b"Accept: text/html,*/*\r\n"])
    def test_not_signed_in_goes_to_the_sign_in_page_for_browsers(self, world: World, fields: bytes) -> None:
        client = world.client()
        client.send(b"GET /s/%b/help?a=b&c HTTP/1.1\r\nHost: here\r\n%b\r\n" % (SID.encode(), fields))
        status, headers, _ = client.answer()
        assert (status, headers["location"]) == (302, f"/auth-sign-in?appUri=/s/{SID}/help%3Fa%3Db%26c")

    def test_page_of_a_session_needs_a_sign_in(self, world: World) -> None:
        client = world.client()
        client.send(b"GET /s/%b/ HTTP/1.1\r\nHost: here\r\n\r\n" % SID.encode())
        assert client.answer()[1]["location"] == f"/auth-sign-in?appUri=/s/{SID}/"
        client.send(request(f"/s/{SID}/"))
        assert client.answer()[2] == f"GET /s/{SID}/ alice 0".encode()

    def test_session_without_slash_moves(self, world: World) -> None:
        client = world.client()
        client.send(request(f"/s/{SID}?a=b"))
        status, fields, _ = client.answer()
        assert (status, fields["location"]) == (308, f"/s/{SID}/?a=b")

    @pytest.mark.parametrize("path", ["/s/nonsense/x", f"/s/{OTHER_SID}/rpc/x"])
    def test_unknown_session_is_code_14(self, world: World, path: str) -> None:
        client = world.client()
        client.send(request(path))
        status, _, body = client.answer()
        assert (status, error_of(body)) == (404, 14)

    def test_gate_may_answer_itself(self, world: World) -> None:
        world.gate.targets[SID] = rpc_error(21, "failed", session={"state": "failed"})
        status, _, body = world.ask("/rpc/x", method="POST", body=b"{}").answer()
        assert (status, error_of(body)) == (503, 21)
        world.gate.targets[SID] = html("failure page", 503)
        assert world.ask("/x").answer()[2] == b"failure page"
        assert world.events.seen == []

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "ANYTHING"])
    @pytest.mark.parametrize("token", ["", "X-RS-CSRF-Token: other\r\n"])
    @pytest.mark.parametrize("path", [f"/s/{SID}/rpc/x", f"/s/{SID}/", "/api/sessions"])
    def test_foreign_writes_are_refused(self, world: World, method: str, token: str, path: str) -> None:
        client = world.client()
        client.send(f"{method} {path} HTTP/1.1\r\nHost: here\r\n{COOKIE}\r\n{token}\r\n".encode())
        status, _, body = client.answer()
        assert (status, error_of(body)) == (403, 6)

    @pytest.mark.parametrize("origin", ["", "Origin: http://evil", "Origin: null"])
    def test_foreign_websockets_are_refused(self, world: World, origin: str) -> None:
        client = world.ask("/events", UPGRADE[0], UPGRADE[1], *([origin] if origin else []))
        status, _, body = client.answer()
        assert (status, error_of(body)) == (403, 6)
        assert world.session.nobody_comes()

    def test_forms_of_pages_check_their_own_token(self, world: World) -> None:
        client = world.client()
        client.send(b"POST /auth-do-sign-in HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\na=b")
        assert client.answer()[2] == b"POST /auth-do-sign-in nobody 3"

    def test_ambiguous_path(self, world: World) -> None:
        client = world.client()
        client.send(request(f"/s/{SID}/%2e%2e/x"))
        assert client.answer()[0] == 400


class TestBadRequests:
    @pytest.mark.parametrize(
        ("data", "status"),
        [
            (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000, 431),
            (b"GET / HTTP/1.1\nHost: x\n\n", 400),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
            (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
        ],
    )
    def test_heads(self, world: World, data: bytes, status: int) -> None:
        client = world.client()
        client.send(data)
        got, fields, _ = client.answer()
        assert (got, fields["connection"]) == (status, "close")
        assert client.to_end() == b""

    def test_allowed_methods_are_named(self, world: World) -> None:
        client = world.client()
        client.send(b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n")
        status, fields, body = client.answer()
        assert (status, fields["connection"]) == (405, "close")
        assert "GET" in fields["allow"].split(", ")
        assert b"TRACE" in body

    def test_refusal_in_the_body_of_a_head_request_has_no_body(self, world: World) -> None:
        client = world.ask("/x", "Transfer-Encoding: chunked", method="HEAD")
        client.send(b"x\r\n")
        assert client.status_and_fields()[0] == 400
        assert client.to_end() == b""

    def test_broken_chunk_ends_both_connections(self, world: World) -> None:
        client = world.ask("/x", "Transfer-Encoding: chunked", method="POST")
        client.send(b"3\r\nabc\r\n")
        end = world.session.accept()
        end.head()
        assert end.exactly(8) == b"3\r\nabc\r\n"
        client.send(b"0x3\r\n")
        assert client.answer()[0] == 400
        assert end.to_end() == b""

    def test_smuggled_request_is_never_seen(self, world: World) -> None:
        client = world.client()
        client.send(
            request(f"/s/{SID}/x", "Content-Length: 4", "Transfer-Encoding: chunked", method="POST")
            + b"1d\r\nGET /evil HTTP/1.1\r\nX: y\r\n\r\n\r\n0\r\n\r\n"
        )
        assert client.answer()[0] == 400
        assert client.to_end() == b""
        assert world.session.nobody_comes()


def test_renewed_cookie_comes_with_the_answer(world: World) -> None:
    world.gate.renewal = ("user-id=new; Path=/; HttpOnly",)
    client = world.ask("/x")
    end = world.session.accept()
    end.head()
    end.send(OK)
    assert client.answer()[1]["set-cookie"] == "user-id=new; Path=/; HttpOnly"
    client.send(request("/page"))
    assert client.answer()[1]["set-cookie"] == "user-id=new; Path=/; HttpOnly"
