"""The text of a project file: what is not changed keeps its bytes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsession.projects.options import ProjectOptions, options_of
from rsession.projects.rproj import DEFAULT, MAX_VALUE, BadField, ProjectFile

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,12}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40).map(str.strip)
NOISE = st.sampled_from([b"", b"# a comment", b"   ", b"no colon here", b"\xff\xfe", b"  stray continuation"])
LINE = st.one_of(
    st.tuples(NAMES, VALUES).map(lambda field: f"{field[0]}: {field[1]}".encode()),
    st.tuples(NAMES, VALUES).map(lambda field: f"{field[0]}\t:{field[1]}  ".encode()),
    NOISE,
)


@st.composite
def files(draw: st.DrawFn) -> ProjectFile:
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    last = draw(st.sampled_from([b"", end]))
    return ProjectFile(mark + end.join(draw(st.lists(LINE, max_size=12))) + last)


def test_a_new_file_reads_as_the_defaults() -> None:
    assert options_of(ProjectFile().fields) == ProjectOptions()
    assert ProjectFile().fields["Version"] == "1.0"


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(content: bytes) -> None:
    options_of(ProjectFile(content).fields)


def other_lines(file: ProjectFile, name: str) -> list[bytes]:
    """All but the field's own and those that go on with a field."""
    lines = file.content.removeprefix(b"\xef\xbb\xbf").splitlines()
    field = re.compile(rb"%s[ \t]*:" % name.encode())
    return [line for line in lines if not field.match(line) and not line.startswith(b" ")]


@given(files(), NAMES, VALUES)
def test_a_value_is_found_again_and_no_other_line_changes(file: ProjectFile, name: str, value: str) -> None:
    before = file.fields
    changed = file.with_fields({name: value})
    assert changed.fields == {**before, name: value}
    if before.get(name) == value:
        assert changed.content == file.content
    assert other_lines(changed, name) == other_lines(file, name)
    assert changed.content.startswith(b"\xef\xbb\xbf") == file.content.startswith(b"\xef\xbb\xbf")


@given(files(), NAMES, VALUES)
def test_a_field_that_was_added_can_be_taken_away(file: ProjectFile, name: str, value: str) -> None:
    if name in file.fields:
        return
    end = b"\r\n" if b"\r\n" in file.content else b"\n"
    back = file.with_fields({name: value}).with_fields({name: None})
    assert back.content in {file.content, file.content + end, file.content + b"\n"}


def test_unknown_fields_their_order_comments_and_line_ends_stay() -> None:
    head = b"\xef\xbb\xbfVersion: 1.0\r\n# mine\r\nFuture:  kept \r\n more of it\r\n\r\n"
    content = head + b"SaveWorkspace:No\r\nZ: \xff\r\nEnd: here"
    file = ProjectFile(content)
    assert file.fields["Future"] == "kept\nmore of it"
    changed = file.with_fields({"SaveWorkspace": "Ask", "RVersion": "4.2.2"})
    assert changed.content == content.replace(b"SaveWorkspace:No", b"SaveWorkspace: Ask") + b"\r\nRVersion: 4.2.2\r\n"
    assert file.with_fields({"Future": None}).content == content.replace(b"Future:  kept \r\n more of it\r\n", b"")


def test_of_a_field_that_is_there_twice_the_first_counts() -> None:
    file = ProjectFile(b"A: 1\nA: 2\n")
    assert file.fields == {"A": "1"}
    assert file.with_fields({"A": "3"}).content == b"A: 3\nA: 2\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [("A b", "x"), ("", "x"), ("A", "x\ny"), ("A", "x\0"), ("A", "\ud800"), ("A", "x" * (MAX_VALUE + 1)), ("é", "x")],
)
def test_what_would_break_the_file_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadField):
        ProjectFile().with_fields({name: value})


def test_a_file_does_not_grow_without_bound() -> None:
    with pytest.raises(BadField, match="larger"):
        ProjectFile(b"x" * (1 << 20)).with_fields({"A": "b"})


def test_options() -> None:
    fields = {
        "Version": "1.0",
        "ProjectName": " My  thesis ",
        "RVersion": "4.2.2",
        "RestoreWorkspace": "no",
        "SaveWorkspace": "ASK",
        "AlwaysSaveHistory": "Yes",
        "QuitChildProcessesOnExit": "Yes",
        "DisableExecuteRprofile": "Yes",
        "UseSpacesForTab": "No",
        "NumSpacesForTab": "8",
        "Encoding": "latin1",
        "LineEndingConversion": "Windows",
        "AutoAppendNewline": "Yes",
        "StripTrailingWhitespace": "Yes",
    }
    assert options_of(fields) == ProjectOptions(
        "My thesis", "4.2.2", False, "ask", True, True, False, False, 8, "latin1", "crlf", True, True
    )


def test_values_that_are_none_are_named_and_count_as_not_written() -> None:
    written = {
        "Version": "2.0",
        "SaveWorkspace": "Perhaps",
        "NumSpacesForTab": "-1",
        "Encoding": "rot\0",
        "UseSpacesForTab": "1",
    }
    options = options_of(written)
    assert options == ProjectOptions(problems=options.problems)
    for name in ("SaveWorkspace", "NumSpacesForTab", "Encoding", "UseSpacesForTab", "version '2.0'"):
        assert any(name in problem for problem in options.problems)


def test_the_default_file_is_that_of_rstudio() -> None:
    assert DEFAULT.splitlines()[:5] == [
        "Version: 1.0",
        "",
        "RestoreWorkspace: Default",
        "SaveWorkspace: Default",
        "AlwaysSaveHistory: Default",
    ]
