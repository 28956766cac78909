"""JSON values as R code that makes them. Pure."""

import math
from collections.abc import Sequence
from itertools import chain

MOST_DEPTH = 50
_MOST_INTEGER = (1 << 31) - 1
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class NoRValue(ValueError):
    """The value has no form in R; the text says why."""


def r_code(value: object) -> str:
    """R code for a JSON value: what an array of one kind of scalars, a column map, an array of rows stands for.

    Scalars and arrays of them become vectors (null: NA), an array of arrays of equal length a matrix by rows, an
    object whose members are such arrays of equal length a data.frame, everything else a list. NoRValue.
    """
    return _code(value, 0)


def r_string(text: str) -> str:
    """A string constant. NoRValue for what R's strings cannot hold."""
    if "\0" in text:
        raise NoRValue("R's strings cannot hold NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoRValue("half a surrogate pair is no character") from None
    return f'"{text.translate(_ESCAPES)}"'


def _code(value: object, depth: int) -> str:
    if depth > MOST_DEPTH:
        raise NoRValue("the value is nested too deeply")
    if isinstance(value, dict):
        return _of_object(value, depth)
    if isinstance(value, list):
        return _of_array(value, depth)
    return "NULL" if value is None and depth == 0 else _of_scalar(value)


def _of_object(members: dict[str, object], depth: int) -> str:
    columns = list(members.values())
    if columns and _is_table(columns):
        given = [f"{_name(name)} = {_vector(column)}" for name, column in members.items() if isinstance(column, list)]
        return f"base::data.frame({', '.join(given)}, check.names = FALSE, stringsAsFactors = FALSE)"
    return f"base::list({', '.join(f'{_name(name)} = {_code(member, depth + 1)}' for name, member in members.items())})"


def _is_table(columns: Sequence[object]) -> bool:
    """Arrays of scalars, all of one length."""
    lengths = {len(column) for column in columns if isinstance(column, list)}
    return len(lengths) == 1 and all(isinstance(column, list) and _is_flat(column) for column in columns)


def _of_array(elements: list[object], depth: int) -> str:
    if _is_flat(elements):
        return _vector(elements)
    rows = [row for row in elements if isinstance(row, list) and row and _is_flat(row)]
    if len(rows) == len(elements) and len({len(row) for row in rows}) == 1:
        return f"base::matrix({_vector(list(chain.from_iterable(rows)))}, nrow = {len(rows)}L, byrow = TRUE)"
    return f"base::list({', '.join(_code(element, depth + 1) for element in elements)})"


def _is_flat(elements: Sequence[object]) -> bool:
    return not any(isinstance(element, (list, dict)) for element in elements)


def _vector(elements: Sequence[object]) -> str:
    if not elements:
        return "base::list()"
    if len(elements) == 1:
        return _of_scalar(elements[0])
    return f"base::c({', '.join(map(_of_scalar, elements))})"


def _of_scalar(value: object) -> str:
    if value is None:
        return "NA"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return r_string(value)
    if isinstance(value, int):
        return f"{value}L" if abs(value) <= _MOST_INTEGER else repr(float(value))
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    raise NoRValue(f"{value!r} is no JSON value")


def _name(text: str) -> str:
    """A name to the left of `=`."""
    if not text:
        raise NoRValue("a name is empty")
    return r_string(text)
