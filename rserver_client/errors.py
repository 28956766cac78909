"""What can go wrong, each kind with a class of its own. Texts are sentences for people."""


class RemoteError(Exception):
    """The server answered with an error. status: that of HTTP, 0 when there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(RemoteError):
    """There is no server at that address, or it is not trusted."""


class NotSignedIn(RemoteError):
    """Name or password is wrong, or the sign-in has ended."""


class NotFound(RemoteError):
    """There is no such session, object or file."""


class NotAllowed(RemoteError):
    """That cannot be done now: the session is busy, or there are too many."""


class Ended(RemoteError):
    """The session is gone."""


class RCodeError(Exception):
    """Code ended in an error of R's. output: what it had written until then."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


_KINDS: dict[int, type[RemoteError]] = {401: NotSignedIn, 404: NotFound, 403: NotAllowed, 409: NotAllowed, 410: Ended}


def of_answer(status: int, message: str) -> RemoteError:
    """The error for an answer of the server."""
    return _KINDS.get(status, RemoteError)(message, status)
