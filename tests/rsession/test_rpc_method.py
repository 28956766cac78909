"""Parameters by position and by name, checked against the table."""

import pytest

from rsession.error_code import ErrorCode, RpcError
from rsession.rpc_method import Method, MethodTable, Param

METHOD = Method(
    "open",
    (Param("path", "string"), Param("line", "integer", 1), Param("note", "string", None, nullable=True)),
    lambda *arguments: arguments,
    "",
)


@pytest.mark.parametrize(
    ("params", "kwparams", "arguments"),
    [
        (["a"], {}, ["a", 1, None]),
        (["a", 2], {"note": None}, ["a", 2, None]),
        ([], {"path": "a", "line": 3}, ["a", 3, None]),
    ],
)
def test_arguments_are_bound(params: list[object], kwparams: dict[str, object], arguments: list[object]) -> None:
    assert METHOD.bind(params, kwparams) == arguments


@pytest.mark.parametrize(
    ("params", "kwparams", "code", "named"),
    [
        ([], {}, ErrorCode.PARAM_MISSING, "path"),
        ([1], {}, ErrorCode.PARAM_TYPE, "path"),
        (["a", True], {}, ErrorCode.PARAM_TYPE, "line"),
        (["a", 1.5], {}, ErrorCode.PARAM_TYPE, "line"),
        (["a", None], {}, ErrorCode.PARAM_TYPE, "line"),
        (["a", 1, "n", 4], {}, ErrorCode.PARAM_INVALID, "at most 3"),
        (["a"], {"path": "b"}, ErrorCode.PARAM_INVALID, "path"),
        (["a"], {"colour": "b"}, ErrorCode.PARAM_INVALID, "colour"),
    ],
)
def test_faults_are_named(params: list[object], kwparams: dict[str, object], code: ErrorCode, named: str) -> None:
    with pytest.raises(RpcError) as caught:
        METHOD.bind(params, kwparams)
    assert caught.value.code == code
    assert named in caught.value.message


def test_a_method_is_entered_with_its_documentation() -> None:
    table = MethodTable()

    @table.method("ping", Param("x", "number", 0))
    def ping(x: float) -> float:
        """Give it back."""
        return x

    assert table.find("ping").doc == "Give it back."
    assert [method.name for method in table] == ["ping"]


def test_a_name_is_taken_once() -> None:
    table = MethodTable()
    table.add(METHOD)
    with pytest.raises(ValueError, match="twice"):
        table.add(METHOD)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(RpcError) as caught:
        MethodTable().find("x" * 1000)
    assert caught.value.code == ErrorCode.UNKNOWN_METHOD
    assert len(caught.value.message) < 100
