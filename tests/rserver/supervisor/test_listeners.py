import os
import socket
import threading

import pytest

from rserver.supervisor import listeners
from rserver.supervisor.exit_codes import ExitCode, StartRefused


def test_port_zero_takes_a_free_port() -> None:
    (listener,) = listeners.bind("127.0.0.1", 0)
    with listener, socket.create_connection(listener.getsockname(), timeout=5):
        pass


def test_a_port_in_use_is_its_own_exit_code_and_named() -> None:
    (first,) = listeners.bind("127.0.0.1", 0)
    port = first.getsockname()[1]
    with first, pytest.raises(StartRefused, match=rf"127\.0\.0\.1:{port} is in use") as refusal:
        listeners.bind("127.0.0.1", port)
    assert refusal.value.code == ExitCode.PORT_IN_USE


def test_patience_waits_for_the_last_worker_to_let_go() -> None:
    (first,) = listeners.bind("127.0.0.1", 0)
    port = first.getsockname()[1]
    threading.Timer(0.2, first.close).start()
    (second,) = listeners.bind("127.0.0.1", port, patience=10.0)
    second.close()


def test_an_address_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(StartRefused, match=r"192\.0\.2\.1") as refusal:
        listeners.bind("192.0.2.1", 0)
    assert refusal.value.code == ExitCode.CONFIGURATION


def test_nobody_who_inherits_one_can_hang_in_it() -> None:
    for listener in listeners.bind("127.0.0.1", 0):
        with listener:
            assert not os.get_blocking(listener.fileno())
