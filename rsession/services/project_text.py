"""What the open project wishes of the bytes of text files: encoding and line endings."""

from dataclasses import replace
from typing import TYPE_CHECKING

from rsession.services.line_endings import LineEndings
from rsession.services.text_format import TextFormat

if TYPE_CHECKING:
    from rsession.projects.folder import Project

_USUAL = {"lf": "\n", "crlf": "\r\n"}


def encoding_of(project: "Project | None") -> str:
    """Of files that do not tell it themselves, and of new ones."""
    return project.options.encoding if project else "UTF-8"


def format_of_new(project: "Project | None") -> TextFormat:
    """Of a document without file."""
    return for_saving(TextFormat(encoding_of(project)), project)


def for_saving(text_format: TextFormat, project: "Project | None") -> TextFormat:
    """The format with the project's line endings, when it has a wish."""
    usual = _USUAL.get(project.options.line_endings or "") if project else None
    if usual is None or text_format.endings == LineEndings(usual):
        return text_format
    return replace(text_format, endings=LineEndings(usual))
