"""Fields of forms and queries. Pure."""

from urllib.parse import parse_qs

_MOST_FIELDS = 32


class BadForm(Exception):
    """Not the fields of a form."""


def form_fields(body: bytes) -> dict[str, str]:
    """The first value of each field of a form sent as application/x-www-form-urlencoded in UTF-8."""
    try:
        return _fields(body.decode("ascii"))
    except UnicodeDecodeError:
        raise BadForm("the form is not percent-encoded") from None


def query_fields(query: str) -> dict[str, str]:
    """The first value of each field of a query; none when it cannot be read."""
    try:
        return _fields(query)
    except BadForm:
        return {}


def _fields(text: str) -> dict[str, str]:
    try:
        parsed = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadForm("the fields cannot be read") from None
    return {name: values[0] for name, values in parsed.items()}
