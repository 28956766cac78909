from rserver.supervisor.backoff import LONGEST, SETTLED_SECONDS, Backoff


def test_first_restart_is_at_once_then_delays_double_up_to_the_longest() -> None:
    backoff = Backoff()
    delays = [backoff.after(0.1) for _ in range(9)]
    assert delays[:4] == [0.0, 0.1, 0.2, 0.4]
    assert delays[-1] == LONGEST


def test_a_child_that_lived_long_is_restarted_at_once_again() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0.1)
    assert backoff.after(SETTLED_SECONDS) == 0.0
    assert backoff.after(0.1) == 0.1
