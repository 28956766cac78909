"""Our HTML pages: string.Template files beside this one; every value is escaped unless it says that it is HTML."""

from html import escape
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent / "templates"


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


class Templates:
    """Templates by name, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._read: dict[str, Template] = {}

    def render(self, name: str, **values: str) -> str:
        """The page `name` with its placeholders filled."""
        return self.part(name, **values)

    def part(self, name: str, **values: str) -> Html:
        """A part of a page, to be put into another."""
        if name not in self._read:
            self._read[name] = Template((self._folder / f"{name}.html").read_text(encoding="utf-8"))
        escaped = {key: value if isinstance(value, Html) else escape(value) for key, value in values.items()}
        return Html(self._read[name].substitute(escaped))
