"""What is written is read again; whatever else is in a file is refused in one way."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver_core.user_name import shown_name
from rsession.presence.sentry import (
    MAX_BYTES,
    MOST_OPEN,
    BadSentry,
    OpenFile,
    Process,
    Sentry,
    decoded,
    encoded,
    is_inner_path,
)

SENTRY = Sentry(
    session="0123456789abcdef01234",
    user="ada",
    name="Ada Lovelace",
    process=Process("host", "boot", "pid:[1]", 4711, 99),
    heartbeat=1.5,
    file="R/a b.R",
    line=7,
    open=(OpenFile("R/a b.R", 2.5, True, "0a1b2c3d", "e" * 16, 3.5), OpenFile("x.R")),
)


def test_what_is_written_is_read_again() -> None:
    assert decoded(encoded(SENTRY)) == SENTRY
    newer = json.loads(encoded(SENTRY)) | {"from_the_future": [1]}
    assert decoded(json.dumps(newer).encode()) == SENTRY


def test_a_file_never_grows_too_large_to_be_read() -> None:
    long = tuple(OpenFile("é" * 1000 + str(number)) for number in range(MOST_OPEN))
    written = encoded(replace(SENTRY, file=long[0].path, open=long))
    assert len(written) <= MAX_BYTES
    read = decoded(written)
    assert read.open == long[: len(read.open)]
    assert len(read.open) > 0


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "..", "a/../b", "./a", "a//b", "a/", "a\nb", "a\u202eb", "\ud800", "a" * 1025]
)
def test_paths_that_lead_out_or_cannot_be_shown(path: str) -> None:
    assert not is_inner_path(path)


def test_names_of_accounts_as_far_as_they_can_be_shown() -> None:
    assert shown_name("ada", "Ada Lovelace,Room 1,,") == "Ada Lovelace"
    assert shown_name("ada", ",Room 1") == "ada"
    assert shown_name("ada", "Bob\u202e\x1b[31m") == "Bob[31m"
    assert len(shown_name("ada", "x" * 5000)) == 128


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(sorted(json.loads(encoded(SENTRY)))), JSON)
def test_one_strange_field_is_refused_or_harmless(name: str, value: object) -> None:
    fields = json.loads(encoded(SENTRY)) | {name: value}
    try:
        read = decoded(json.dumps(fields).encode())
    except BadSentry:
        return
    assert len(encoded(read)) <= MAX_BYTES
    assert decoded(encoded(read)) == read


@pytest.mark.parametrize(
    "field",
    [{"document": "0A1B2C3D"}, {"document": 1}, {"epoch": "e" * 15}, {"epoch": None}, {"since": -1}, {"since": "1"}],
)
def test_what_is_said_of_a_shared_text_has_its_form(field: dict[str, object]) -> None:
    fields = json.loads(encoded(SENTRY))
    fields["open"][0] |= field
    with pytest.raises(BadSentry):
        decoded(json.dumps(fields).encode())


@given(st.binary(max_size=200))
def test_bytes_are_refused_in_one_way(content: bytes) -> None:
    with pytest.raises(BadSentry):
        decoded(content)
