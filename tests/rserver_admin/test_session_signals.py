import signal

import pytest

from rserver_admin.session_signals import send
from tests.rserver_admin.processes import record_of, sleeper


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGKILL])
def test_the_signal_reaches_the_process(number: signal.Signals) -> None:
    with sleeper() as process:
        assert send(record_of(process.pid), number)
        assert process.wait(10) == -number


def test_a_process_that_got_the_number_later_is_not_hit() -> None:
    with sleeper() as process:
        assert not send(record_of(process.pid, ticks=1), signal.SIGKILL)
        assert process.poll() is None


def test_a_process_that_is_gone() -> None:
    with sleeper() as process:
        record = record_of(process.pid)
    assert not send(record, signal.SIGKILL)
