"""Why nothing answered, in words."""

import errno
import http.client
import socket

from rserver_diagnose.address import Address
from rserver_diagnose.connection import ANSWER_SECONDS, CONNECT_SECONDS

_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})


def in_words(error: OSError | http.client.HTTPException, address: Address) -> str:
    """A sentence for people, without numbers of errors."""
    host, port = address.connect or (address.host, address.port)
    place = f"port {port} of {host}"
    match error:
        case socket.gaierror():
            return f"this machine does not know the name {host}"
        case ConnectionRefusedError():
            return f"nobody listens at {place}: the connection was refused"
        case TimeoutError():
            return f"{place} did not answer within {CONNECT_SECONDS:g} s, or {ANSWER_SECONDS:g} s once it was connected"
        case ConnectionError():
            return f"{place} closed the connection without an answer"
        case http.client.HTTPException():
            return f"what answered at {place} is no HTTP"
        case OSError(errno=number) if number in _NO_WAY:
            return f"there is no way from this machine to {host}"
    return f"{place} cannot be asked: {error.strerror or type(error).__name__}"
