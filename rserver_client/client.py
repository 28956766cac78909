"""The client for programs that do one thing after the other."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import httpx

from rserver_client import calls, exchange
from rserver_client.calls import Call, T
from rserver_client.errors import NotSignedIn, RemoteError
from rserver_client.results import Execution, SessionInfo

_PIECE = 1 << 20


class Client:
    """One person at one server. Use it in a `with` statement, or close it.

    server: address, such as https://r.example.org:12800. verify: path of a certificate to trust besides the usual ones,
    False: trust any. Every method may raise RemoteError.
    """

    def __init__(self, server: str, user: str, password: str, *, verify: exchange.Verify = True) -> None:
        self.url = exchange.base_url(server)
        self._sign_in = exchange.SignIn(user, password)
        self._http = httpx.Client(
            base_url=self.url, verify=exchange.certificates(verify), timeout=exchange.TIMEOUT, trust_env=True
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Void the tokens and close the connections; sessions go on."""
        tokens, self._sign_in.tokens = self._sign_in.tokens, None
        try:
            if tokens is not None:
                self._sent(calls.revoke(tokens.refresh))
        except RemoteError:
            pass  # they end by themselves
        finally:
            self._http.close()

    def sessions(self) -> list[SessionInfo]:
        """What runs for us there."""
        return self.call(calls.sessions())

    def new_session(self, name: str = "") -> "Session":
        """Start a session; it runs when this returns."""
        return Session(self, self.call(calls.new_session(name)))

    def session(self, session_id: str) -> "Session":
        """A session that exists."""
        return Session(self, session_id)

    def call(self, call: Call[T]) -> T:
        """Send a request; signs in, or renews the tokens, where that is needed."""
        if not call.public:
            self.sign_in()
        try:
            return self._sent(call)
        except NotSignedIn:
            if call.public:
                raise
        self.sign_in(again=True)
        return self._sent(call)

    def sign_in(self, *, again: bool = False) -> None:
        """Have tokens that count. again: those that we have do not."""
        state = self._sign_in
        if not again and not state.needs_tokens:
            return
        if state.tokens is not None:
            try:
                state.tokens = self._sent(calls.renew(state.tokens.refresh))
                return
            except NotSignedIn:
                state.tokens = None
        state.tokens = self._sent(calls.login(state.user, state.password))

    @contextmanager
    def streamed(self, method: str, path: str, **more: Any) -> Iterator[httpx.Response]:
        """An answer whose body is read piece by piece."""
        self.sign_in()
        headers = exchange.authorization(self._sign_in)
        try:
            with self._http.stream(method, path, headers=headers, **more) as response:
                if not response.is_success:
                    response.read()
                exchange.check(response)
                yield response
        except httpx.TransportError as error:
            raise exchange.unreachable(error, self.url) from error

    def _sent(self, call: Call[T]) -> T:
        try:
            return self._sent_once(call)
        except httpx.TransportError as error:
            if not call.repeatable or isinstance(error, httpx.ConnectError):
                raise exchange.unreachable(error, self.url) from error
        try:
            return self._sent_once(call)
        except httpx.TransportError as error:
            raise exchange.unreachable(error, self.url) from error

    def _sent_once(self, call: Call[T]) -> T:
        return exchange.result(call, self._http.send(exchange.request_of(self._http, call, self._sign_in)))


class Session:
    """One R on the server. In a `with` statement it is ended at the end."""

    def __init__(self, client: Client, session_id: str) -> None:
        self._client, self.id = client, session_id

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(force=True)

    def end(self, *, force: bool = False) -> None:
        """End it. force: also when it is busy; else NotAllowed."""
        self._client.call(calls.end_session(self.id, force=force))

    def run(self, code: str, *, inputs: Mapping[str, Any] | None = None, outputs: Sequence[str] = ()) -> Execution:
        """Run code and wait for its end. inputs: values for the workspace, as JSON; outputs: objects to answer."""
        return self._client.call(calls.run(self.id, code, inputs or {}, outputs))

    def cancel(self) -> None:
        """Stop what runs; the session stays usable."""
        self._client.call(calls.cancel(self.id))

    def console_output(self) -> str:
        """What the code that runs, or ran last, has written."""
        return self._client.call(calls.console_output(self.id))

    def history(self) -> list[str]:
        """The pieces of code, oldest first."""
        return self._client.call(calls.history(self.id))

    def files(self) -> list[str]:
        """Names of the files in the session's folder."""
        return self._client.call(calls.files(self.id))

    def upload(self, path: str | Path, name: str = "") -> None:
        """Put a file there, under another name if one is given; it takes the place of an older one."""
        path = Path(path)
        with path.open("rb") as file:
            self.write_file(name or path.name, file)

    def write_file(self, name: str, content: bytes | IO[bytes]) -> None:
        """Put content there as a file."""
        with self._client.streamed("POST", calls.files_path(self.id), files={"file": (name, content)}):
            pass

    def download(self, name: str, path: str | Path) -> None:
        """Get a file; what is at the path is replaced when all of it is here."""
        path = Path(path)
        aside = path.with_name(f".{path.name}.part")
        try:
            with aside.open("wb") as file, self._client.streamed("GET", calls.file_path(self.id, name)) as response:
                for piece in response.iter_bytes(_PIECE):
                    file.write(piece)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)

    def read_file(self, name: str) -> bytes:
        """The content of a file."""
        with self._client.streamed("GET", calls.file_path(self.id, name)) as response:
            return response.read()

    def remove_file(self, name: str) -> None:
        """Remove a file."""
        self._client.call(calls.remove_file(self.id, name))

    def objects(self) -> list[str]:
        """Names of the objects in the workspace."""
        return self._client.call(calls.objects(self.id))

    def get_rdata(self, name: str) -> bytes:
        """An object as R's `load()` reads it."""
        with self._client.streamed("GET", calls.object_path(self.id, name)) as response:
            return response.read()

    def put_rdata(self, name: str, rdata: bytes | IO[bytes]) -> None:
        """Put an object there that R's `save()` wrote."""
        with self._client.streamed("POST", calls.object_path(self.id, name), content=rdata):
            pass

    def remove_object(self, name: str) -> None:
        """Remove an object."""
        self._client.call(calls.remove_object(self.id, name))
