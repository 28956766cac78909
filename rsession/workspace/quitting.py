"""The end of a session that somebody wants: whether its objects go to `.RData`, asked once, and what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.logger import Logger

from rsession import _shim
from rsession.error_code import ErrorCode, RpcError
from rsession.questions import answer_question
from rsession.rpc_method import Param
from rsession.services.background import in_thread
from rsession.working_directory import working_directory
from rsession.workspace.image_file import NotWhole, put_in_place, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from rsession.session import Session
    from rsession.workspace.image_reading import ImageReading
    from rsession.workspace.save_policy import SavePolicy

QUESTION = "Save workspace image? [y/n/c]: "
"""R's own; the shim asks it at a prompt of that text."""
_LINES = {"yes": "y", "no": "n", "cancel": "c"}
_END_SECONDS = 60.0
_TAKES_LONG = "R has been asked to end and is still busy with it: .Last or what it saves takes long."
_MOST_CHARACTERS = 300
_log = Logger()


class Quitting:
    """`policy` is read anew each time, in a thread: the user may change a preference while the session runs."""

    def __init__(self, session: "Session", policy: "Callable[[], SavePolicy]", reading: "ImageReading") -> None:
        self._session = session
        self._reading = reading
        self._policy = policy
        self._asked: dict[str, object] | None = None
        self._outcomes: list[Deferred[dict[str, object]]] = []
        self._complaint = ""
        self._errors = ""
        self.image_saved = False
        """`.RData` was written on the way out."""
        session.add_to_client_init("quit_question", lambda: self._asked)
        session.on_input(lambda line, is_history: self._no_question())
        session.on_prompt(self._goes_on)
        session.console.on_question.append(self._asks)
        session.console.on_text.append(self._shown)
        session.on_end(self._ends)
        for type_, answer in (
            ("save_action", self._action),
            ("quit_question", self._ask),
            ("image_written", self._settle),
        ):
            answer_question(session, _shim, type_, answer)
        answer_question(session, _shim, "image_failed", self._fail)
        self._add_methods()

    def _add_methods(self) -> None:
        rpc = self._session.rpc
        save = Param("save", "string", "no", doc="whether to write .RData: yes, no, or default: as the user has set it")

        # The server, which is no client, ends sessions from the list of sessions.
        @rpc.method("quit_session", save, open_to_strangers=True)
        def quit_session(save: str) -> "Deferred[dict[str, object]]":
            """End R as `q()` does; what it evaluates is interrupted. With `default` nothing happens when the user wants
            to be asked: `{"ended": false, "question": {"image"}}`; when `.Last()` fails, `{"ended": false, "reason"}`.
            Code 1003 when .RData cannot be written: R goes on.
            """
            if save not in ("yes", "no", "default"):
                raise RpcError(ErrorCode.PARAM_INVALID, "save must be yes, no or default")
            return Deferred.fromCoroutine(self._quit(save))

        @rpc.method("get_quit_state")
        def get_quit_state() -> "Deferred[dict[str, object]]":
            """What `q()` would do: `{"save": "ask"|"yes"|"no", "image": path of .RData, "busy": bool}`."""
            return Deferred.fromCoroutine(self._state())

        @rpc.method("answer_quit_question", Param("answer", "string", doc="yes, no or cancel"))
        def answer_quit_question(answer: str) -> None:
            """Answer R's question whether to save; code 2 when it was answered already."""
            self._answer(answer)

    async def _state(self) -> dict[str, object]:
        policy = await in_thread(self._policy)
        return {"save": policy.save, "image": str(_image()), "busy": self._session.console.is_busy}

    async def _quit(self, save: str) -> dict[str, object]:
        if save == "default":
            state = await self._state()
            if state["save"] == "ask":
                return {"ended": False, "question": {"image": state["image"]}}
            save = str(state["save"])
        if self._session.input_refusal is not None:
            raise RpcError(ErrorCode.UNAVAILABLE, self._session.input_refusal)
        outcome: Deferred[dict[str, object]] = Deferred()
        self._outcomes.append(outcome)
        self._complaint = self._errors = ""
        self._session.console.forget_input()
        self._session.process.end(save == "yes", is_busy=self._session.console.is_busy)
        outcome.addTimeout(_END_SECONDS, self._session.clock)
        try:
            return await outcome
        except TooLate:
            self._outcomes.remove(outcome)
            raise RpcError(ErrorCode.UNAVAILABLE, _TAKES_LONG) from None

    # The question at the console

    def _action(self, _text: str) -> "Deferred[str]":
        return in_thread(self._policy).addCallback(lambda policy: policy.save)

    def _ask(self, _text: str) -> str:
        self._asked = {"image": str(_image())}
        self._session.events.emit("quit_question", self._asked)
        return ""

    def _answer(self, answer: str) -> None:
        if answer not in _LINES:
            raise RpcError(ErrorCode.PARAM_INVALID, "answer must be yes, no or cancel")
        if self._asked is None or self._session.console.prompt != QUESTION:
            raise RpcError(ErrorCode.UNAVAILABLE, "the question was answered already")
        self._session.input(_LINES[answer], "")
        self._no_question()

    def _no_question(self) -> None:
        if self._asked is not None:
            self._asked = None
            self._session.events.emit("quit_question_closed", {})

    # What came of it

    def _settle(self, aside: str) -> "Deferred[str]":
        return Deferred.fromCoroutine(self._put_in_place(Path(aside), _image()))

    async def _put_in_place(self, aside: Path, image: Path) -> str:
        try:
            await in_thread(self._replace, aside, image)
        except (OSError, NotWhole) as error:
            return self._complain(reason(error, image.parent))
        self.image_saved = True
        return ""

    def _replace(self, aside: Path, image: Path) -> None:
        put_in_place(aside, image, keeps_old=self._reading.could_not_read(image))

    def _fail(self, text: str) -> str:
        return self._complain(reason(Exception(text), _image().parent))

    def _complain(self, why: str) -> str:
        text = f"The workspace was not saved to {_image()}: {why} R was not quit; your objects are all there."
        self._complaint = text
        self._session.events.emit("show_message", {"kind": "error", "text": text})
        return text

    def _goes_on(self) -> None:
        """R asks for input: it has not ended."""
        self._no_question()
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            if self._complaint:
                outcome.errback(RpcError(ErrorCode.NOT_WRITABLE, self._complaint))
            else:
                outcome.callback({"ended": False, "reason": self._why()})
        self._complaint = ""

    def _shown(self, kind: str, text: str) -> None:
        if kind == "error" and self._outcomes:
            self._errors = (self._errors + text)[-_MOST_CHARACTERS:]

    def _why(self) -> str:
        if not self._errors.strip():
            return "R was asked to end and goes on."
        said = " ".join(self._errors.split())
        return f"R goes on, because .Last() failed: {said}. Mend or remove .Last, or kill the session.".replace(
            "..", "."
        )

    def _asks(self, prompt: str) -> None:
        """`.Last` or a finalizer asks something: whoever wants R to end must not wait for the answer."""
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            text = f"Before R ends it asks at the console: {prompt.strip()} It ends when that is answered."
            outcome.errback(RpcError(ErrorCode.UNAVAILABLE, text))

    def _ends(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            outcome.callback({"ended": True})


def _image() -> Path:
    return Path(working_directory() or "/", ".RData")
