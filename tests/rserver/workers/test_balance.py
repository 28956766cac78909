"""Who takes the next connection."""

from pathlib import Path

import pytest

from rserver.workers.balance import SLACK, Balance


def test_who_has_more_lets_the_other_take_it(tmp_path: Path) -> None:
    counts = tmp_path / "counts"
    counts.write_bytes(bytes(8))
    one, two = (Balance(str(counts), mine, 2) for mine in range(2))
    assert not one.is_ahead(SLACK)
    assert one.is_ahead(SLACK + 1)
    assert not two.is_ahead(1)
    assert not one.is_ahead(SLACK + 1)
    # Started anew it has nobody.
    Balance(str(counts), 1, 2)
    assert one.is_ahead(SLACK + 1)


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="link"):
        Balance(str(tmp_path / "link"), 0, 2)
