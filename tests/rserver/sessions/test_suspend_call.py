import json

import pytest

from rserver.sessions.probe import NoAnswer
from rserver.sessions.suspend_call import SuspendAnswer, read_answer


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"result": {"suspended": true, "blockers": []}}', SuspendAnswer(True)),
        (
            b'{"result": {"suspended": false, "blockers": [{"kind": "busy", "reason": "R is working."}]}}',
            SuspendAnswer(False, ("R is working.",)),
        ),
        (
            b'{"error": {"code": 1003, "message": "The disk is full."}}',
            SuspendAnswer(False, ("The disk is full.",), blocked=False),
        ),
    ],
)
def test_answers(body: bytes, answer: SuspendAnswer) -> None:
    assert read_answer(json.loads(body)) == answer


@pytest.mark.parametrize("body", [b"[]", b"5", b'{"result": 4711}', b'{"result": {}}', b'{"error": 5}'])
def test_anything_else_is_no_answer(body: bytes) -> None:
    with pytest.raises(NoAnswer):
        read_answer(json.loads(body))


def test_what_a_session_says_is_bounded() -> None:
    body = b'{"result": {"suspended": false, "blockers": [' + b", ".join([b'{"reason": "%b"}' % (b"x" * 9000)] * 50)
    answer = read_answer(json.loads(body + b"]}}"))
    assert (len(answer.reasons), len(answer.reasons[0])) == (10, 500)
