import random

import pytest

from rserver.sign_in.pace import RefusalPace, next_step


@pytest.mark.parametrize(("elapsed", "answer"), [(0.0, 1.0), (0.06, 1.0), (1.0, 1.0), (1.01, 2.0), (2.6, 3.0)])
def test_refusals_come_at_whole_steps(elapsed: float, answer: float) -> None:
    assert next_step(elapsed) == answer


def test_a_refusal_without_pam_takes_the_time_of_one_with_it() -> None:
    pace = RefusalPace(random.Random(1))
    assert pace.imitation() == 0.0
    for seconds in (1.6, 2.4):
        pace.refused_by_pam(seconds)
    assert {pace.imitation() for _ in range(50)} == {1.6, 2.4}


def test_only_recent_refusals_count() -> None:
    pace = RefusalPace(random.Random(1), size=3)
    for seconds in (10.0, 1.0, 1.0, 1.0):
        pace.refused_by_pam(seconds)
    assert pace.imitation() == 1.0
