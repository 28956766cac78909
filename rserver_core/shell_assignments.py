"""The variables that a very plain shell script sets. Pure: nothing is run.

Understood are the forms of R's etc/ldpaths: `NAME=value`, `: ${NAME=value}`, `if test -n|-z text; then`,
`else`, `fi` and `${NAME}` within values. Every other line is passed over.
"""

import re
from collections.abc import Mapping

_ASSIGN = re.compile(r"([A-Za-z_]\w*)=(.*)", re.ASCII)
_DEFAULT = re.compile(r":\s*\$\{([A-Za-z_]\w*):?=(.*)\}", re.ASCII)
_IF = re.compile(r"if\s+(?:test|\[)\s+-([nz])\s+(.*?)\s*\]?\s*;\s*then", re.ASCII)
_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)


def assignments(text: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Variables after text was followed, those given included."""
    values = dict(variables)
    branches: list[bool] = []
    for line in map(str.strip, text.splitlines()):
        if match := _IF.fullmatch(line):
            empty = not _expand(match[2], values)
            branches.append(empty == (match[1] == "z"))
        elif line == "else" and branches:
            branches[-1] = not branches[-1]
        elif line == "fi" and branches:
            branches.pop()
        elif all(branches):
            _assign(line, values)
    return values


def _assign(line: str, values: dict[str, str]) -> None:
    if match := _DEFAULT.fullmatch(line):
        if match[1] not in values:
            values[match[1]] = _expand(match[2], values)
    elif match := _ASSIGN.fullmatch(line):
        values[match[1]] = _expand(match[2], values)


def _expand(text: str, values: Mapping[str, str]) -> str:
    plain = text.replace('"', "").replace("'", "")
    return _REFERENCE.sub(lambda match: values.get(match[1] or match[2], ""), plain)
