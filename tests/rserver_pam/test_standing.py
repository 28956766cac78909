"""What the log tells of an account beside PAM's own word."""

from pathlib import Path

import pytest

from rserver_pam.standing import standing

TODAY = 20_000


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("root:$y$j9T$x:19000:0:99999:7:::", ""),
        ("root:!$y$j9T$x:19000:0:99999:7:::", "the account is locked"),
        ("root:*:19000:0:99999:7:::", "the account is locked"),
        ("root:$y$j9T$x:19000:0:99999:7::19999:", "the account has expired"),
        ("root:$y$j9T$x:19000:0:99999:7::20001:", ""),
        ("root:$y$j9T$x:19000:0:99999:7::soon:", ""),
        ("rooty:!:19000:0:99999:7:::", ""),
        ("root:!", ""),
        ("", ""),
    ],
)
def test_a_local_account(tmp_path: Path, line: str, told: str) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text(f"daemon:*:19000:0:99999:7:::\n{line}\n")
    assert standing("root", TODAY, str(shadow)) == told


def test_nobody_of_that_name() -> None:
    assert standing("nobody-of-that-name", TODAY) == "there is no such account"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert standing("root", TODAY, str(tmp_path / "missing")) == ""
