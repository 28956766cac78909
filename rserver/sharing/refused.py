"""Why access to a project is not changed."""

NOT_ACCEPTABLE, UNAVAILABLE = 10, 2


class ShareRefused(Exception):
    """code as in the table of error codes; the text is a sentence for the user. was_cancelled: somebody stopped it."""

    def __init__(self, message: str, code: int = NOT_ACCEPTABLE, *, was_cancelled: bool = False) -> None:
        super().__init__(message)
        self.code, self.was_cancelled = code, was_cancelled
