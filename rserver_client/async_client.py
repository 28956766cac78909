"""The client for programs on an asyncio or trio loop."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import httpx

from rserver_client import calls, exchange
from rserver_client.calls import Call, T
from rserver_client.errors import NotSignedIn, RemoteError
from rserver_client.results import Execution, SessionInfo


class AsyncClient:
    """One person at one server. Use it in a `async with` statement, or close it.

    server: address, such as https://r.example.org:12800. verify: path of a certificate to trust besides the usual ones,
    False: trust any. Every method may raise RemoteError.
    """

    def __init__(self, server: str, user: str, password: str, *, verify: exchange.Verify = True) -> None:
        self.url = exchange.base_url(server)
        self._sign_in = exchange.SignIn(user, password)
        self._http = httpx.AsyncClient(
            base_url=self.url, verify=exchange.certificates(verify), timeout=exchange.TIMEOUT, trust_env=True
        )

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Void the tokens and close the connections; sessions go on."""
        tokens, self._sign_in.tokens = self._sign_in.tokens, None
        try:
            if tokens is not None:
                await self._sent(calls.revoke(tokens.refresh))
        except RemoteError:
            pass  # they end by themselves
        finally:
            await self._http.aclose()

    async def sessions(self) -> list[SessionInfo]:
        """What runs for us there."""
        return await self.call(calls.sessions())

    async def new_session(self, name: str = "") -> "AsyncSession":
        """Start a session; it runs when this returns."""
        return AsyncSession(self, await self.call(calls.new_session(name)))

    def session(self, session_id: str) -> "AsyncSession":
        """A session that exists."""
        return AsyncSession(self, session_id)

    async def call(self, call: Call[T]) -> T:
        """Send a request; signs in, or renews the tokens, where that is needed."""
        if not call.public:
            await self.sign_in()
        try:
            return await self._sent(call)
        except NotSignedIn:
            if call.public:
                raise
        await self.sign_in(again=True)
        return await self._sent(call)

    async def sign_in(self, *, again: bool = False) -> None:
        """Have tokens that count. again: those that we have do not."""
        state = self._sign_in
        if not again and not state.needs_tokens:
            return
        if state.tokens is not None:
            try:
                state.tokens = await self._sent(calls.renew(state.tokens.refresh))
                return
            except NotSignedIn:
                state.tokens = None
        state.tokens = await self._sent(calls.login(state.user, state.password))

    @asynccontextmanager
    async def streamed(self, method: str, path: str, **more: Any) -> AsyncIterator[httpx.Response]:
        """An answer whose body is read piece by piece."""
        await self.sign_in()
        headers = exchange.authorization(self._sign_in)
        try:
            async with self._http.stream(method, path, headers=headers, **more) as response:
                if not response.is_success:
                    await response.aread()
                exchange.check(response)
                yield response
        except httpx.TransportError as error:
            raise exchange.unreachable(error, self.url) from error

    async def _sent(self, call: Call[T]) -> T:
        try:
            return await self._sent_once(call)
        except httpx.TransportError as error:
            if not call.repeatable or isinstance(error, httpx.ConnectError):
                raise exchange.unreachable(error, self.url) from error
        try:
            return await self._sent_once(call)
        except httpx.TransportError as error:
            raise exchange.unreachable(error, self.url) from error

    async def _sent_once(self, call: Call[T]) -> T:
        return exchange.result(call, await self._http.send(exchange.request_of(self._http, call, self._sign_in)))


class AsyncSession:
    """One R on the server. In a `async with` statement it is ended at the end."""

    def __init__(self, client: AsyncClient, session_id: str) -> None:
        self._client, self.id = client, session_id

    async def __aenter__(self) -> "AsyncSession":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end(force=True)

    async def end(self, *, force: bool = False) -> None:
        """End it. force: also when it is busy; else NotAllowed."""
        await self._client.call(calls.end_session(self.id, force=force))

    async def run(
        self, code: str, *, inputs: Mapping[str, Any] | None = None, outputs: Sequence[str] = ()
    ) -> Execution:
        """Run code and wait for its end. inputs: values for the workspace, as JSON; outputs: objects to answer."""
        return await self._client.call(calls.run(self.id, code, inputs or {}, outputs))

    async def cancel(self) -> None:
        """Stop what runs; the session stays usable."""
        await self._client.call(calls.cancel(self.id))

    async def console_output(self) -> str:
        """What the code that runs, or ran last, has written."""
        return await self._client.call(calls.console_output(self.id))

    async def history(self) -> list[str]:
        """The pieces of code, oldest first."""
        return await self._client.call(calls.history(self.id))

    async def files(self) -> list[str]:
        """Names of the files in the session's folder."""
        return await self._client.call(calls.files(self.id))

    async def write_file(self, name: str, content: bytes) -> None:
        """Put content there as a file; it takes the place of an older one."""
        async with self._client.streamed("POST", calls.files_path(self.id), files={"file": (name, content)}):
            pass

    async def read_file(self, name: str) -> bytes:
        """The content of a file."""
        async with self._client.streamed("GET", calls.file_path(self.id, name)) as response:
            return await response.aread()

    async def file_pieces(self, name: str) -> AsyncIterator[bytes]:
        """The content of a file, piece by piece."""
        async with self._client.streamed("GET", calls.file_path(self.id, name)) as response:
            async for piece in response.aiter_bytes():
                yield piece

    async def remove_file(self, name: str) -> None:
        """Remove a file."""
        await self._client.call(calls.remove_file(self.id, name))

    async def objects(self) -> list[str]:
        """Names of the objects in the workspace."""
        return await self._client.call(calls.objects(self.id))

    async def get_rdata(self, name: str) -> bytes:
        """An object as R's `load()` reads it."""
        async with self._client.streamed("GET", calls.object_path(self.id, name)) as response:
            return await response.aread()

    async def put_rdata(self, name: str, rdata: bytes | AsyncIterator[bytes]) -> None:
        """Put an object there that R's `save()` wrote."""
        async with self._client.streamed("POST", calls.object_path(self.id, name), content=rdata):
            pass

    async def remove_object(self, name: str) -> None:
        """Remove an object."""
        await self._client.call(calls.remove_object(self.id, name))
