"""What a run does follows from its seed alone."""

import pytest

from tests.chaos.operation import OF_SERVER, OF_SESSION, plan


def test_the_same_seed_plans_the_same() -> None:
    assert plan(7, 200, 20) == plan(7, 200, 20)
    assert plan(7, 200, 20) != plan(8, 200, 20)


@pytest.mark.parametrize("operations", [1, 10, 500])
@pytest.mark.parametrize("sessions", [1, 3, 20])
def test_there_are_as_many_operations_as_wanted_on_sessions_that_exist(operations: int, sessions: int) -> None:
    waves = plan(1, operations, sessions)
    every = [operation for wave in waves for operation in wave.operations]
    disturbances = [wave.disturbance for wave in waves if wave.disturbance]
    assert sorted(operation.number for operation in every + disturbances) == list(range(1, operations + 1))
    assert {operation.subject for operation in every} <= set(range(sessions))


def test_one_session_has_one_operation_at_a_time() -> None:
    for wave in plan(3, 500, 6):
        subjects = [operation.subject for operation in wave.operations]
        assert len(subjects) == len(set(subjects))


def test_a_long_run_does_everything() -> None:
    waves = plan(1, 500, 20)
    assert {operation.kind for wave in waves for operation in wave.operations} == set(OF_SESSION)
    assert {wave.disturbance.kind for wave in waves if wave.disturbance} == set(OF_SERVER)
