"""No answer means one thing to us and another to the client; no connection out of step is used again."""

import socket
from collections.abc import Iterator

import pytest

from tests.rserver.proxy.lone_plane import lone_plane
from tests.rserver.proxy.smuggling.answering import AnswerCase, Answering, answer_cases, asked
from tests.rserver.proxy.world import LIMIT_SECONDS

CASES = answer_cases()
each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
Running = tuple[int, Answering]


@pytest.fixture(scope="module")
def running(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The port of a data plane, and the session behind it."""
    session = Answering(tmp_path_factory.mktemp("answers") / "session.sock", CASES)
    with lone_plane(session.path, environment) as (port, _):
        yield port, session
    session.stop()


@each_case
@pytest.mark.parametrize("others", [0, 2], ids=["at first", "after others"])
def test_answer(running: Running, case: AnswerCase, others: int) -> None:
    port, session = running
    with socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as client:
        for _ in range(others):
            assert asked(client, case.number, "before") == (200, b"ok")
        answer = asked(client, case.number, "x", case.method)
    if case.status is None:
        assert answer is None or answer[0] == 502
    else:
        assert answer is not None
        assert answer[0] == case.status
        assert answer[1] == case.body or case.status == 502
    with socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as client:
        assert asked(client, case.number, "after") == (200, b"ok")
    used, next_one = session.served[f"/{case.number}/x"][-1], session.served[f"/{case.number}/after"][-1]
    assert (used == next_one) is case.again
