"""What R's thread asks and waits for: each question has a type, and who answers that type."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

if TYPE_CHECKING:
    from rsession.service_api import ServiceApi

_log = Logger()

Answer = Callable[[str], "str | Deferred[str]"]


class Waiting(Protocol):
    """The part of the shim that R waits in."""

    def answer(self, number: int, text: bytes, /) -> None: ...


def answer_question(api: "ServiceApi", waiting: Waiting, type_: str, answer: Answer) -> None:
    """Answer R's `.rs_ask(type, text)`, and the shim's own questions, by `answer(text)`; a failure is a sentence."""

    def asked(data: object) -> None:
        if isinstance(data, dict):
            Deferred.fromCoroutine(_give(waiting, int(data["question"]), answer, str(data["text"])))

    api.on_r_event(type_, asked)


async def _give(waiting: Waiting, number: int, answer: Answer, question: str) -> None:
    try:
        given = answer(question)
        text = given if isinstance(given, str) else await given
    except Exception:
        _log.failure("a question of R has no answer")
        text = "the session could not do it"
    waiting.answer(number, text.replace("\0", "").encode("utf-8", "replace"))
