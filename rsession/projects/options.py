"""What a project wishes of its sessions: the fields of its `.Rproj` file that are obeyed here. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from rsession.encodings import is_usable

Save = Literal["yes", "no", "ask"]
Endings = Literal["keep", "lf", "crlf"]

_T = TypeVar("_T")

_YES_NO = {"yes": True, "no": False}
_WISH: dict[str, bool | None] = {"default": None, "yes": True, "no": False}
_SAVE: dict[str, Save | None] = {"default": None, "yes": "yes", "no": "no", "ask": "ask"}
_ENDINGS: dict[str, Endings | None] = {
    "default": None,
    "passthrough": "keep",
    "none": "keep",
    "native": "lf",
    "posix": "lf",
    "windows": "crlf",
}
_MOST_SPACES = 64
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class ProjectOptions:
    """None: the project leaves it to the session's own settings.

    r_version is the text of the file, such as `4.2.2`; empty: no wish. problems: sentences about what is not obeyed.
    """

    name: str = ""
    r_version: str = ""
    restore_workspace: bool | None = None
    save_workspace: Save | None = None
    always_save_history: bool | None = None
    quit_child_processes: bool | None = None
    runs_profile: bool = True
    spaces_for_tab: bool = True
    tab_width: int = 2
    encoding: str = "UTF-8"
    line_endings: Endings | None = None
    appends_newline: bool = False
    strips_trailing_blanks: bool = False
    problems: tuple[str, ...] = ()


def options_of(fields: Mapping[str, str]) -> ProjectOptions:
    """The options in the fields of a file; a value that is none counts as not written."""
    reader = _Reader(fields)
    version = fields.get("RVersion", "")
    options = ProjectOptions(
        name=" ".join(fields.get("ProjectName", "").split())[:_LONGEST_NAME],
        r_version="" if version.lower() == "default" else version[:_LONGEST_NAME],
        restore_workspace=reader.choice("RestoreWorkspace", _WISH, None),
        save_workspace=reader.choice("SaveWorkspace", _SAVE, None),
        always_save_history=reader.choice("AlwaysSaveHistory", _WISH, None),
        quit_child_processes=reader.choice("QuitChildProcessesOnExit", _WISH, None),
        runs_profile=not reader.choice("DisableExecuteRprofile", _YES_NO, False),
        spaces_for_tab=reader.choice("UseSpacesForTab", _YES_NO, True),
        tab_width=reader.number("NumSpacesForTab", 2),
        encoding=reader.encoding(),
        line_endings=reader.choice("LineEndingConversion", _ENDINGS, None),
        appends_newline=reader.choice("AutoAppendNewline", _YES_NO, False),
        strips_trailing_blanks=reader.choice("StripTrailingWhitespace", _YES_NO, False),
    )
    reader.check_version()
    return replace(options, problems=tuple(reader.problems))


class _Reader:
    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self.problems: list[str] = []

    def choice(self, name: str, words: Mapping[str, _T], default: _T) -> _T:
        """The meaning of a word."""
        written = self._fields.get(name, "").strip()
        if not written:
            return default
        if written.lower() not in words:
            self._refuse(name, written, f"one of {', '.join(word.capitalize() for word in words)}")
            return default
        return words[written.lower()]

    def number(self, name: str, default: int) -> int:
        """A number of blanks."""
        written = self._fields.get(name, "").strip()
        if not written:
            return default
        if not (written.isascii() and written.isdigit() and len(written) < 4 and 1 <= int(written) <= _MOST_SPACES):
            self._refuse(name, written, f"a number from 1 to {_MOST_SPACES}")
            return default
        return int(written)

    def encoding(self) -> str:
        """The encoding of files that tell none themselves."""
        written = self._fields.get("Encoding", "").strip()
        if not written or written.upper() in {"UTF-8", "UTF8"}:
            return "UTF-8"
        if not is_usable(written):
            self._refuse("Encoding", written, "the name of an encoding that contains ASCII")
            return "UTF-8"
        return written

    def check_version(self) -> None:
        """Of the format of the file."""
        version = self._fields.get("Version", "").strip()
        if version != "1.0":
            said = f"says version {version[:20]!r}" if version else "does not say its version"
            self.problems.append(f"The project file {said}; it is read as version 1.0.")

    def _refuse(self, name: str, written: str, allowed: str) -> None:
        self.problems.append(f"{name} is {written[:40]!r} in the project file; expected {allowed}.")
