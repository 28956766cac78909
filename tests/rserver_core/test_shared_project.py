"""The file about a shared project: what is written is read again, all else is refused in one way."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver_core.shared_project import (
    MAX_BYTES,
    MAX_MEMBERS,
    BadSharedProject,
    SharedProject,
    Unfinished,
    decode,
    encode,
    file_name,
    id_in,
    is_file_name,
)

PROJECT = SharedProject(
    "0badcafe",
    "/home/ann/trees",
    "ann",
    {"ben": 1563830777.255, "cleo": 2.0},
    "/home/ann/trees/trees.Rproj",
    "ann",
    Unfinished(("ben",), "It was stopped."),
)


def test_what_is_written_is_read_again() -> None:
    assert decode(encode(PROJECT), PROJECT.id) == PROJECT
    newer = json.loads(encode(PROJECT)) | {"from_the_future": [1]}
    assert decode(json.dumps(newer).encode(), PROJECT.id) == PROJECT


def test_the_form_that_others_know() -> None:
    value = json.loads(encode(PROJECT))
    assert value["share_times"] == [{"time": 1563830777255, "user": "ben"}, {"time": 2000, "user": "cleo"}]
    assert (value["shared_with"], value["project_owner"], value["updated_by"]) == (["ben", "cleo"], "ann", "ann")
    minimal = {"project_dir": "/x", "project_owner": "ann", "shared_with": ["ben"]}
    assert decode(json.dumps(minimal).encode(), "0badcafe").shared == {"ben": 0.0}


def test_a_file_never_grows_too_large_to_be_read() -> None:
    names = [f"{'n' * 200}{number}" for number in range(MAX_MEMBERS)]
    whole = SharedProject(
        "0badcafe", "/" + "x" * 4000, "a" * 255, dict.fromkeys(names, 1.0), "", "", Unfinished(tuple(names))
    )
    assert len(encode(whole)) < MAX_BYTES
    assert decode(encode(whole), "0badcafe").members == tuple(sorted(names))


@pytest.mark.parametrize(
    "changes",
    [
        {"project_dir": "trees"},
        {"project_dir": "/a/../b"},
        {"project_dir": "/a\nb"},
        {"project_dir": "/" + "x" * 5000},
        {"project_dir": None},
        {"project_file": 7},
        {"project_owner": "--all"},
        {"project_owner": "ben"},
        {"shared_with": "ben"},
        {"shared_with": ["ben", "ben"]},
        {"shared_with": [1]},
        {"shared_with": [f"n{number}" for number in range(MAX_MEMBERS + 1)]},
        {"unfinished": []},
        {"unfinished": {"members": "ben"}},
        {"unfinished": {"members": [], "reason": 1}},
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadSharedProject):
        decode(json.dumps(json.loads(encode(PROJECT)) | changes).encode(), PROJECT.id)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_bytes_are_refused_in_one_way(content: bytes) -> None:
    with pytest.raises(BadSharedProject):
        decode(content, "0badcafe")


def test_names_of_files() -> None:
    name = file_name(1000, "0badcafe")
    assert is_file_name(name)
    assert id_in(name, 1000) == "0badcafe"
    for other in (name + "x", "x" + name, name.upper(), f".{name}.12345678.part"):
        assert not is_file_name(other)
    for uid in (1001, 0):
        with pytest.raises(BadSharedProject):
            id_in(name, uid)
