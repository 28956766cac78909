import os
from pathlib import Path

import pytest

from rserver.supervisor import cookie_keys
from rserver.supervisor.exit_codes import ExitCode, StartRefused


def _write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_missing_file_is_made_once_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secure-cookie-key"
    first = cookie_keys.read_or_make(path)
    assert cookie_keys.read_or_make(path) == first
    assert len(first) == 1
    assert len(bytes.fromhex(first[0])) >= cookie_keys.MIN_LENGTH
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["secure-cookie-key"]


def test_several_keys_keep_their_order_and_comments_are_skipped(tmp_path: Path) -> None:
    path = _write(tmp_path / "key", f"# new\n{'a' * 32}\n\n{'b' * 40}\n")
    assert cookie_keys.read_or_make(path) == [("a" * 32).encode().hex(), ("b" * 40).encode().hex()]


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        ("a" * 31, 0o600, "31 characters"),
        ("", 0o600, "holds 0 keys"),
        ("a" * 40, 0o640, "mode 0640"),
        ("a" * 40, 0o604, "chmod 600"),
        ("\n".join(["a" * 40] * 9), 0o600, "holds 9 keys"),
    ],
)
def test_unacceptable_files_are_refused_with_the_reason(tmp_path: Path, text: str, mode: int, says: str) -> None:
    path = _write(tmp_path / "key", text, mode)
    with pytest.raises(StartRefused, match=says) as refusal:
        cookie_keys.read_or_make(path)
    assert refusal.value.code == ExitCode.CONFIGURATION
    assert str(path) in str(refusal.value)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(_write(tmp_path / "other", "a" * 40))
    with pytest.raises(StartRefused, match="cannot be read"):
        cookie_keys.read_or_make(tmp_path / "key")
