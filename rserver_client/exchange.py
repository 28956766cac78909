"""What both clients do with requests and answers of httpx. Without any waiting."""

import json
import ssl
import time
from dataclasses import dataclass
from typing import Any

import httpx

from rserver_client.calls import Call, T, read
from rserver_client.errors import RemoteError, Unreachable, of_answer
from rserver_client.results import Tokens

Verify = bool | str | ssl.SSLContext
EARLY_SECONDS = 60.0
"""A token is renewed that much before its end, a short one at half of its life."""
# No time limit: code may run for days, and the server sends signs of life.
TIMEOUT = httpx.Timeout(60.0, read=None)
_SELF_SIGNED = (
    "The certificate of {url} is not signed by anybody whom this machine trusts ({why}). If it is a self-signed one "
    "that you expect, copy it from the server and give its path as `verify`."
)


@dataclass
class SignIn:
    """Who uses the client; tokens as they are now."""

    user: str
    password: str
    tokens: Tokens | None = None

    @property
    def needs_tokens(self) -> bool:
        """There are none, or they end soon."""
        tokens = self.tokens
        return tokens is None or tokens.expires - time.time() < min(EARLY_SECONDS, tokens.life / 2)


def base_url(server: str) -> str:
    """The address, with a scheme: http to this machine, https to others."""
    if "://" in server:
        return server.rstrip("/")
    host = server.partition(":")[0]
    return f"{'http' if host in {'localhost', '127.0.0.1'} else 'https'}://{server.rstrip('/')}"


def certificates(verify: Verify) -> bool | ssl.SSLContext:
    """As httpx wants it: True, False, or a context that trusts the certificate at a path."""
    return ssl.create_default_context(cafile=verify) if isinstance(verify, str) else verify


def request_of(client: httpx.Client | httpx.AsyncClient, call: Call[Any], sign_in: SignIn) -> httpx.Request:
    """The request of a call."""
    headers = dict(call.headers) | authorization(sign_in, call.public)
    return client.build_request(call.method, call.path, json=call.json, params=call.query or None, headers=headers)


def authorization(sign_in: SignIn, public: bool = False) -> dict[str, str]:
    """The field that says who we are."""
    if public or sign_in.tokens is None:
        return {}
    return {"Authorization": f"Bearer {sign_in.tokens.access}"}


def result(call: Call[T], response: httpx.Response) -> T:
    """What a whole answer means; RemoteError."""
    check(response)
    return read(call, _decoded(response))


def check(response: httpx.Response) -> None:
    """RemoteError for an answer that is an error; it must have been read."""
    if response.is_success:
        return
    try:
        message = str(response.json()["message"])
    except (ValueError, LookupError, TypeError):
        message = f"The server answered {response.status_code} {response.reason_phrase}."
    raise of_answer(response.status_code, message)


def _decoded(response: httpx.Response) -> Any:
    if not response.content.strip():
        return None
    try:
        return response.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RemoteError("The server's answer is no JSON. Is this the address of its door for programs?") from error


def unreachable(error: httpx.TransportError, url: str) -> RemoteError:
    """The error for a connection that was not made, or was lost."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(_SELF_SIGNED.format(url=url, why=cause.verify_message))
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Unreachable(f"{url} cannot be reached: {error}. Is the address right, and does a server listen there?")
    return Unreachable(f"The connection to {url} was lost: {error or type(error).__name__}.")
