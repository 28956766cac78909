"""No request means one thing to us and another to who is behind us, or in front of us."""

from collections.abc import Iterator

import h11
import pytest

from tests.rserver.proxy.nginx import needs_nginx
from tests.rserver.proxy.smuggling.cases import Case, Request, corpus
from tests.rserver.proxy.smuggling.ways import (
    Outcomes,
    only_nginx,
    ours,
    ours_before_nginx,
    ours_behind_nginx,
    outcomes,
)

CASES = corpus()
each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="module", params=[False, True], ids=["at first", "after others"])
def direct(
    request: pytest.FixtureRequest, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Outcomes:
    return outcomes(ours, tmp_path_factory.mktemp("ours"), environment, CASES, warm=request.param)


@pytest.fixture(scope="module")
def before_nginx(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return outcomes(ours_before_nginx, tmp_path_factory.mktemp("before"), environment, CASES)


@pytest.fixture(scope="module")
def behind_nginx(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return outcomes(ours_behind_nginx, tmp_path_factory.mktemp("behind"), environment, CASES)


@pytest.fixture(scope="module")
def nginx_alone(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return outcomes(only_nginx, tmp_path_factory.mktemp("nginx"), {}, CASES)


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 120


@needs_nginx
def test_no_backend_meets_what_breaks_the_rules(
    direct: Outcomes, before_nginx: Outcomes, behind_nginx: Outcomes
) -> None:
    assert direct.broken + before_nginx.broken + behind_nginx.broken == ()


@each_case
def test_backend_sees_what_was_meant_or_nothing(direct: Outcomes, case: Case) -> None:
    assert direct.of[case.number].requests == case.requests


@each_case
def test_client_is_told_and_the_connection_closed(direct: Outcomes, case: Case) -> None:
    answers = direct.of[case.number].answers
    statuses = [answer.status for answer in answers]
    if case.refusal is None:
        assert statuses == [200] * len(case.requests)
        return
    assert sorted(statuses) == sorted([200] * len(case.requests) + [case.refusal])
    refusal = answers[statuses.index(case.refusal)]
    assert refusal.body.strip() or case.refusal == 308
    assert case.stays or (refusal is answers[-1] and refusal.closes)


@each_case
def test_h11_means_the_same(case: Case) -> None:
    """What we carry is what h11 reads in the bytes that were sent; where it reads more, we refused the rest."""
    read = tuple(_read_by_h11(case.data))
    assert set(case.requests) <= set(read) | {request for request in case.requests if case.stays}
    if case.refusal is None:
        assert read == case.requests


@needs_nginx
@each_case
def test_nginx_behind_us_reads_the_same(before_nginx: Outcomes, direct: Outcomes, case: Case) -> None:
    assert before_nginx.of[case.number].requests == direct.of[case.number].requests


@needs_nginx
@each_case
def test_we_behind_nginx_read_the_same(behind_nginx: Outcomes, nginx_alone: Outcomes, case: Case) -> None:
    """What nginx makes of the bytes and passes on means to us what it means to the backend, or we refuse it."""
    seen, meant = behind_nginx.of[case.number].requests, nginx_alone.of[case.number].requests
    assert [request for request in seen if request not in meant] == []


def _read_by_h11(data: bytes) -> Iterator[Request]:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=128 * 1024)
    connection.receive_data(data)
    while True:
        body = b""
        head = None
        try:
            while not isinstance(event := connection.next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Request):
                    head = event
                elif isinstance(event, h11.Data):
                    body += event.data
                else:
                    return
        except h11.RemoteProtocolError:
            return
        assert head is not None
        yield head.method.decode(), head.target.decode(), body
        connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
        connection.send(h11.EndOfMessage())
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()
