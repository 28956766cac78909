"""Launch specs and session records from the wire."""

from typing import Any

import pytest

from rserver_core.launch_wire import BadRequest, LaunchSpec, SessionRecord, signal_of

ID = "0123456789abcdef01234"
SPEC: dict[str, Any] = {
    "session": ID,
    "user": "ann",
    "uid": 1000,
    "argv": ["--r-run-rprofile=0"],
    "env": {"RS_SERVER_URL": "http://x/"},
}
RECORD = SessionRecord(ID, "ann", 1000, 1000, 7, 6, 1.5, 70, 60, "/run/x.sock")


def test_spec_round_trip() -> None:
    assert LaunchSpec.from_json(SPEC).to_json() == SPEC
    assert LaunchSpec.from_json({"session": ID, "user": "ann"}) == LaunchSpec(ID, "ann")


@pytest.mark.parametrize(
    "change",
    [
        {"session": "0" * 20},
        {"session": "../" + "0" * 18},
        {"session": None},
        {"user": "-x"},
        {"uid": True},
        {"uid": -2},
        {"uid": 1 << 32},
        {"user": ""},
        {"user": "a/b"},
        {"user": "a\n"},
        {"user": 1},
        {"argv": "--x"},
        {"argv": ["x"] * 65},
        {"argv": ["x" * 4097]},
        {"argv": ["a\0b"]},
        {"argv": [1]},
        {"env": []},
        {"env": {f"V{number}": "" for number in range(129)}},
        {"env": {"a=b": ""}},
        {"env": {"lower": ""}},
        {"env": {"": ""}},
        {"env": {"A": "x\0"}},
        {"env": {"A": "x" * 32768}},
        {"env": {"A": 1}},
    ],
)
def test_specs_that_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        LaunchSpec.from_json({**SPEC, **change})


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_what_is_no_object(value: object) -> None:
    with pytest.raises(BadRequest):
        LaunchSpec.from_json(value)
    with pytest.raises(BadRequest):
        SessionRecord.from_json(value)


def test_record_round_trip() -> None:
    assert SessionRecord.from_json(RECORD.to_json()) == RECORD


def test_record_knows_whole_seconds_too() -> None:
    assert SessionRecord.from_json({**RECORD.to_json(), "started": 3}).started == 3


@pytest.mark.parametrize(
    "change", [{"pid": "7"}, {"pid": True}, {"pid": 7.0}, {"socket": None}, {"started": "1"}, {"session": "x"}]
)
def test_records_that_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        SessionRecord.from_json({**RECORD.to_json(), **change})


@pytest.mark.parametrize("field", list(RECORD.to_json()))
def test_no_field_of_a_record_may_be_missing(field: str) -> None:
    content = RECORD.to_json()
    del content[field]
    with pytest.raises(BadRequest):
        SessionRecord.from_json(content)


def test_fields_of_a_later_version_are_ignored() -> None:
    assert SessionRecord.from_json({**RECORD.to_json(), "later": 1}) == RECORD


def test_signals() -> None:
    assert signal_of({"signal": "INT"}) == "INT"
    for name in ("STOP", "SIGINT", 2, None):
        with pytest.raises(BadRequest):
            signal_of({"signal": name})
