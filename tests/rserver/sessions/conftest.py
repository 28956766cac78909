import pytest

from tests.rserver.sessions.controlled import House


@pytest.fixture
def house() -> House:
    return House()
