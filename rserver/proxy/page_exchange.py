"""A request that the worker answers itself: collect its small body, ask the pages."""

from rserver.proxy.client import Client
from rserver.proxy.services import Services
from rserver.web.request import PAGE_BODY_LIMIT, Identity, Request, RequestHead, Response


class PageExchange:
    """See Exchange. A page that has begun runs to its end even when the client goes away."""

    __slots__ = ("_body", "_client", "_head", "_identity", "_is_complete", "_services")

    def __init__(self, services: Services, client: Client, head: RequestHead, identity: Identity | None) -> None:
        self._services = services
        self._client: Client | None = client
        self._head = head
        self._identity = identity
        self._body = b""
        self._is_complete = False
        services.pages_open.enter(head.remote[0])

    def start(self) -> None:
        """See Exchange."""
        if self._client is not None:
            self._client.send_continue()

    def request_data(self, payload: bytes) -> None:
        """See Exchange."""
        self._body += payload
        if len(self._body) > PAGE_BODY_LIMIT:
            # The client takes the exchange for ended: it will not tell of its own end.
            self._services.pages_open.leave(self._head.remote[0])
            self._answer(self._services.error_page(self._head, 413, "The request is larger than 64 KiB."))

    def request_end(self) -> None:
        """See Exchange."""
        self._is_complete = True
        who = self._identity.user if self._identity else self._head.remote[0]
        self._services.page_shares.begin(who, self._begin)

    def _begin(self) -> None:
        task = self._services.loop.create_task(self._run())
        self._services.tasks.add(task)
        task.add_done_callback(self._services.tasks.discard)

    def client_full(self, full: bool) -> None:
        """See Exchange. A page is written at once."""

    def client_lost(self) -> None:
        """See Exchange."""
        self._client = None
        if not self._is_complete:
            self._services.pages_open.leave(self._head.remote[0])

    async def _run(self) -> None:
        try:
            self._answer(await self._response())
        finally:
            self._services.pages_open.leave(self._head.remote[0])

    async def _response(self) -> Response:
        request = Request(self._head, self._identity, self._body)
        try:
            return await self._services.pages.handle(request)
        except Exception:
            self._services.log.failure("{method} {path} failed", method=request.method, path=request.path)
            return self._services.error_page(self._head, 500, "The server failed to answer this request.")

    def _answer(self, response: Response) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.answer(response)
