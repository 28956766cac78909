"""Why nothing was done: a code for programs, a sentence for people, an exit code."""

REFUSED, BAD_REQUEST, UNSUPPORTED = 1, 2, 3
_EXITS = {"bad_request": BAD_REQUEST, "unsupported": UNSUPPORTED}


class Refusal(Exception):
    """The request is not carried out. code: one of docs/reference/rserver-acls.md; the text is a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence

    @property
    def exit(self) -> int:
        """The exit code of the program."""
        return _EXITS.get(self.code, REFUSED)


class BadRequest(Refusal):
    """The request is malformed."""

    def __init__(self, sentence: str) -> None:
        super().__init__("bad_request", sentence)
