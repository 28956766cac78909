from pathlib import Path

import pytest

from tests.rserver.web.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A worker that signs people in."""
    return House(tmp_path)
