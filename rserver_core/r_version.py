"""An R that can be chosen, and how a choice is written down."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from rserver_core.r_installation import RInstallation

MOST_CHARACTERS = 600
_SEPARATOR = "|"
_VERSION = re.compile(r"[0-9]+(?:[.-][0-9]+){0,4}", re.ASCII)


class BadWish(ValueError):
    """A text is no wish for an R; the message says why."""


@dataclass(frozen=True, slots=True)
class RWish:
    """Which R somebody wants. home and label are empty where any will do; the version is empty where they say it all.

    As text `version`, `version|home` or `version|home|label`; without any | also a home or a label alone.
    """

    version: str = ""
    home: str = ""
    label: str = ""

    @classmethod
    def parse(cls, text: str) -> "RWish":
        """From text; BadWish."""
        parts = [part.strip() for part in text.split(_SEPARATOR)]
        if len(text) > MOST_CHARACTERS or not text.isprintable() or len(parts) > 3 or not any(parts):
            raise BadWish(f"{text[:40]!r} names no R")
        wish = cls(*parts) if len(parts) > 1 else cls._of_word(parts[0])
        if wish.version and not _VERSION.fullmatch(wish.version):
            raise BadWish(f"{wish.version[:40]!r} is no version of R; expected one such as 4.2.2")
        return wish

    @classmethod
    def _of_word(cls, word: str) -> "RWish":
        if word.startswith("/"):
            return cls(home=word.rstrip("/"))
        return cls(word.removeprefix("R ")) if _VERSION.fullmatch(word.removeprefix("R ")) else cls(label=word)

    def __str__(self) -> str:
        return _SEPARATOR.join((self.version, self.home, self.label)).rstrip(_SEPARATOR)

    @property
    def title(self) -> str:
        """For people."""
        if not self.version:
            return self.label or f"the R in {self.home}"
        return f"R {self.version} ({self.label})" if self.label else f"R {self.version}"


@dataclass(frozen=True, slots=True)
class RVersion:
    """One R of the list. Without a home it is the one that is on the PATH after module and script.

    module: environment modules to load, script: shell script to source, both before R starts; repo: URL or file of
    repositories; library: site libraries with colons between them; variables: what R's own script sets.
    """

    version: str
    home: str
    label: str = ""
    module: str = ""
    script: str = ""
    repo: str = ""
    library: str = ""
    variables: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, installation: RInstallation) -> "RVersion":
        """An installed R of which nobody says more."""
        return cls(installation.version, installation.home, variables=installation.variables)

    @classmethod
    def from_json(cls, value: object) -> "RVersion":
        """From the cache or a message; ValueError when it is none."""
        if not isinstance(value, dict):
            raise ValueError("no object")
        texts = {field.name: value.get(field.name, "") for field in fields(cls) if field.name != "variables"}
        variables = value.get("variables", {})
        if not isinstance(variables, dict) or not _are_texts((*texts.values(), *variables, *variables.values())):
            raise ValueError("a field is no text")
        return cls(**texts, variables=tuple(variables.items()))

    def to_json(self) -> dict[str, Any]:
        """Without what is empty."""
        values = {**asdict(self), "variables": dict(self.variables)}
        return {name: value for name, value in values.items() if value}

    @property
    def wish(self) -> RWish:
        """What names exactly this one."""
        return RWish(self.version, self.home, self.label)

    def environment(self, library_path: str = "") -> dict[str, str]:
        """Variables for a session. library_path: folders after R's own in LD_LIBRARY_PATH."""
        values = dict(self.variables)
        values["LD_LIBRARY_PATH"] = joined_path(values.get("LD_LIBRARY_PATH", ""), library_path)
        values |= {
            "RSTUDIO_R_VERSION_LABEL": self.label,
            "RSTUDIO_R_MODULE": self.module,
            "RSTUDIO_R_PRELAUNCH_SCRIPT": self.script,
            "RSTUDIO_R_REPO": self.repo,
            "R_LIBS_SITE": self.library,
        }
        return {name: value for name, value in values.items() if value}


VARIABLES = (
    "R_HOME",
    "R_SHARE_DIR",
    "R_INCLUDE_DIR",
    "R_DOC_DIR",
    "R_ARCH",
    "LD_LIBRARY_PATH",
    "RSTUDIO_R_VERSION_LABEL",
    "RSTUDIO_R_MODULE",
    "RSTUDIO_R_PRELAUNCH_SCRIPT",
    "RSTUDIO_R_REPO",
    "R_LIBS_SITE",
)
"""What a choice of R sets, or leaves unset."""


def joined_path(*parts: str) -> str:
    """Lists of folders as one, each folder once."""
    folders = (folder for part in parts for folder in part.split(":") if folder)
    return ":".join(dict.fromkeys(folders))


def titles(versions: Iterable[RVersion]) -> Mapping[RVersion, str]:
    """How each is shown to people: with its label, or where two would look the same with its home."""
    listed = list(versions)
    plain = [version.wish.title for version in listed]
    return {
        version: f"{title} in {version.home}" if plain.count(title) > 1 and version.home else title
        for version, title in zip(listed, plain, strict=True)
    }


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)
