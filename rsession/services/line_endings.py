r"""Line endings of a file: text is held with "\n" alone and written with what each line of the file had."""

import re
from dataclasses import dataclass

_ENDING = re.compile("\r\n|\r|\n")


@dataclass(frozen=True)
class LineEndings:
    r"""`usual` goes behind new lines; `each` names the ending of every line, empty when all are usual.

    `each` has one letter per line end: n for "\n", c for "\r\n", r for a lone "\r".
    """

    usual: str = "\n"
    each: str = ""

    def restore(self, text: str) -> str:
        """The text as it goes to the file."""
        if not self.each:
            return text if self.usual == "\n" else text.replace("\n", self.usual)
        lines = text.split("\n")
        endings = [_OF_LETTER[letter] for letter in self.each]
        return "".join(line + ending for line, ending in zip(lines, [*endings, ""], strict=True))

    def after_splice(self, before: str, removed: str, inserted: str) -> "LineEndings":
        """The endings once `removed`, which stood behind `before`, has become `inserted`."""
        if not self.each:
            return self
        start = before.count("\n")
        new = _LETTER[self.usual] * inserted.count("\n")
        return LineEndings(self.usual, self.each[:start] + new + self.each[start + removed.count("\n") :])


_LETTER = {"\n": "n", "\r\n": "c", "\r": "r"}
_OF_LETTER = {letter: ending for ending, letter in _LETTER.items()}


def separate(text: str) -> tuple[str, LineEndings]:
    r"""The text with "\n" alone, and what `LineEndings.restore` needs to undo that."""
    if "\r" not in text:
        return text, LineEndings()
    each = "".join(_LETTER[ending] for ending in _ENDING.findall(text))
    usual = "\r\n" if each.count("c") * 2 > len(each) else "\n"
    is_uniform = each == _LETTER[usual] * len(each)
    return _ENDING.sub("\n", text), LineEndings(usual, "" if is_uniform else each)
