"""Reading key=value files."""

import os
from pathlib import Path

import pytest

from rserver_core import conf_file
from rserver_core.conf_file import Entry
from rserver_core.config_errors import ConfigError


def parsed(text: str) -> list[Entry | ConfigError]:
    return list(conf_file.parse(text, "f"))


def test_entries_keep_their_place() -> None:
    assert parsed("a=1\n\n# nothing\nb = two words \n") == [Entry("f:1", "a", "1"), Entry("f:4", "b", "two words")]


def test_value_may_hold_equals_and_be_empty() -> None:
    assert parsed("a=b=c\nd=") == [Entry("f:1", "a", "b=c"), Entry("f:2", "d", "")]


@pytest.mark.parametrize(
    ("line", "value"), [("a=b # c", "b"), ("a=b#c", "b#c"), ("a=#c", "#c"), ("a= #c", ""), ("a=b\t#c", "b")]
)
def test_comment_needs_a_space_before_it(line: str, value: str) -> None:
    assert parsed(line) == [Entry("f:1", "a", value)]


def test_crlf_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_bytes(b"\xef\xbb\xbfa=1\r\nb=2\r\n")
    text = conf_file.read(str(path))
    assert isinstance(text, str)
    assert parsed(text) == [Entry("f:1", "a", "1"), Entry("f:2", "b", "2")]


@pytest.mark.parametrize("line", ["word", "=1", "  = 1", "[section]"])
def test_a_line_that_is_no_entry(line: str) -> None:
    (finding,) = parsed(line)
    assert isinstance(finding, ConfigError)
    assert finding.place == "f:1"
    assert "expected key=value" in finding.problem


@pytest.mark.parametrize("line", ["a=b\0c", "a=\x1b[31m", "a\x07=1"])
def test_control_characters_are_refused_and_not_repeated(line: str) -> None:
    (finding,) = parsed(line)
    assert isinstance(finding, ConfigError)
    assert str(finding).isprintable()


def test_every_bad_line_is_found() -> None:
    assert [type(item) for item in parsed("x\na=1\ny\n")] == [ConfigError, Entry, ConfigError]


def test_file_too_large(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_bytes(b"#" * (conf_file.MAX_BYTES + 1))
    finding = conf_file.read(str(path))
    assert isinstance(finding, ConfigError)
    assert "larger" in finding.problem


def test_bytes_that_are_no_text_are_found_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_bytes(b"a=1\nb=\xff\n")
    finding = conf_file.read(str(path))
    assert isinstance(finding, ConfigError)
    assert finding.place == f"{path}:2"


def test_absent_file_is_the_callers_business(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        conf_file.read(str(tmp_path / "x.conf"))


def test_directory_instead_of_a_file(tmp_path: Path) -> None:
    assert isinstance(conf_file.read(str(tmp_path)), ConfigError)


def test_a_pipe_that_nobody_writes_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    os.mkfifo(path)
    assert conf_file.read(str(path)) == ""


def test_configuration_directory() -> None:
    assert conf_file.directory({}) == "/etc/rstudio"
    assert conf_file.directory({"RSTUDIO_CONFIG_DIR": "/x"}) == "/x"
