"""Short runs of `make chaos`."""

import pytest

from tests.chaos.run import Run, Wishes, carry_out

pytestmark = [pytest.mark.root, pytest.mark.r]


def _carry_out(wishes: Wishes) -> Run:
    told: list[str] = []
    run = carry_out(wishes, told.append)
    for model in run.models:
        told += [f"session {model.number} ({model.id})", *model.log]
    # Shown when the test fails.
    print(*told, run.server.running.log, sep="\n")
    return run


def test_ten_operations_lose_nothing_and_leave_nothing() -> None:
    run = _carry_out(Wishes(seed=1, operations=10, sessions=3, seconds=60))
    assert run.complaints == []
    assert run.done == 10


@pytest.mark.slow
def test_forty_operations_lose_nothing_and_leave_nothing() -> None:
    run = _carry_out(Wishes(seed=2, operations=40, sessions=8, seconds=300))
    assert run.complaints == []
    assert run.done == 40
