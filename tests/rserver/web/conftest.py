from pathlib import Path

import pytest

from tests.rserver.web.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A worker that signs people in, and whose master signals processes."""
    made = House(tmp_path)
    made.master.answers["signal"] = lambda _: {"ok": True}
    return made
