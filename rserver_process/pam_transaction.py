"""One PAM transaction, with a conversation that answers only what it was told to answer."""

import ctypes

from rserver_process.pam_library import (
    CONV_ERR,
    CONVERSE,
    FAIL_DELAY,
    PAM_FAIL_DELAY,
    PROMPT_ECHO_OFF,
    PROMPT_ECHO_ON,
    SUCCESS,
    PamConversation,
    PamMessage,
    PamResponse,
    libc,
    pam,
)

_MOST_MESSAGES = 32
_MOST_TEXTS, _LONGEST_TEXT = 64, 512

TYPE_CHECKING = False
if TYPE_CHECKING:
    # At run time typing and collections.abc would make the start of rserver-pam a third longer.
    from collections.abc import Callable, Iterator

    Answer = Callable[[int, str], str | None]


class PamError(Exception):
    """A call into PAM failed: its name, the PAM code and the text PAM has for it."""

    def __init__(self, call: str, code: int, text: str) -> None:
        super().__init__(f"{call}: {text}")
        self.call, self.code, self.text = call, code, text


def answer_nothing(_style: int, _prompt: str) -> str | None:
    """For transactions in which PAM has nothing to ask."""
    return None


class Transaction:
    """From pam_start to end(). messages: what modules said; unanswered: prompts that got no answer.

    answer(style, prompt) gives the reply to a prompt, None refuses it and so fails the call under way. confdir:
    directory to read the service from instead of /etc/pam.d. Every call raises PamError when PAM refuses it.
    """

    def __init__(self, service: str, user: str, answer: "Answer" = answer_nothing, confdir: str | None = None) -> None:
        """ValueError: a NUL in a name."""
        self.messages: list[str] = []
        self.unanswered: list[str] = []
        self._answer = answer
        # libpam keeps these addresses until pam_end: freed earlier, a session module that speaks would jump into
        # nowhere.
        self._converse = CONVERSE(self._on_converse)
        self._no_delay = FAIL_DELAY(_no_delay)
        self._conversation = PamConversation(self._converse, None)
        self._handle = ctypes.c_void_p()
        self._start(_encode(service), _encode(user), None if confdir is None else _encode(confdir))

    def set_item(self, item: int, value: str) -> None:
        """Set PAM_TTY, PAM_RHOST or PAM_RUSER."""
        self._check("set_item", pam.pam_set_item(self._handle, item, ctypes.c_char_p(_encode(value))))

    def without_failure_delay(self) -> None:
        """A failed authenticate() answers at once: the caller slows guessing down without a process that waits."""
        delay = ctypes.cast(self._no_delay, ctypes.c_void_p)
        self._check("set_item", pam.pam_set_item(self._handle, PAM_FAIL_DELAY, delay))

    def authenticate(self, flags: int = 0) -> None:
        """Who is it?"""
        self._check("authenticate", pam.pam_authenticate(self._live_handle(), flags))

    def acct_mgmt(self, flags: int = 0) -> None:
        """May this account be used now? NEW_AUTHTOK_REQD: after a change of password."""
        self._check("acct_mgmt", pam.pam_acct_mgmt(self._live_handle(), flags))

    def setcred(self, flags: int) -> None:
        """ESTABLISH_CRED after initgroups and before open_session, DELETE_CRED at the end."""
        self._check("setcred", pam.pam_setcred(self._live_handle(), flags))

    def open_session(self) -> None:
        """Open the session; limits, keyring and login uid become those of this process."""
        self._check("open_session", pam.pam_open_session(self._live_handle(), 0))

    def close_session(self) -> None:
        """Close the session."""
        self._check("close_session", pam.pam_close_session(self._live_handle(), 0))

    def chauthtok(self, flags: int) -> None:
        """Change the password; answer() is asked for the old and the new one."""
        self._check("chauthtok", pam.pam_chauthtok(self._live_handle(), flags))

    def environment(self) -> dict[str, str]:
        """The variables that modules have set so far."""
        block = pam.pam_getenvlist(self._live_handle())
        if not block:
            return {}
        entries = list(_take_strings(block))
        libc.free(ctypes.cast(block, ctypes.c_void_p))
        return dict(entry.partition("=")[::2] for entry in entries)

    def end(self) -> None:
        """Finish; no other call is allowed afterwards but a second end()."""
        if self._handle:
            pam.pam_end(self._handle, self._code)
            self._handle = ctypes.c_void_p()

    def _start(self, service: bytes, user: bytes, confdir: bytes | None) -> None:
        conversation, handle = ctypes.byref(self._conversation), ctypes.byref(self._handle)
        if confdir is None:
            code = pam.pam_start(service, user, conversation, handle)
        else:
            code = pam.pam_start_confdir(service, user, conversation, confdir, handle)
        if code != SUCCESS:
            self._handle = ctypes.c_void_p()
        self._check("start", code)

    def _live_handle(self) -> ctypes.c_void_p:
        if not self._handle:
            raise ValueError("the transaction has ended")
        return self._handle

    def _check(self, call: str, code: int) -> None:
        self._code = code
        if code != SUCCESS:
            raise PamError(call, code, (pam.pam_strerror(self._handle, code) or b"?").decode("utf-8", "replace"))

    def _on_converse(
        self,
        count: int,
        messages: "ctypes._Pointer[ctypes._Pointer[PamMessage]]",
        out: "ctypes._Pointer[ctypes.c_void_p]",
        _data: object,
    ) -> int:
        if not 0 < count <= _MOST_MESSAGES:
            return CONV_ERR
        try:
            answers = [self._reply(messages[number].contents) for number in range(count)]
        except Exception:
            # Into C no exception may pass.
            return CONV_ERR
        # Some modules pass no place for answers when they only have something to say.
        if out:
            out[0] = _responses(answers)
        return SUCCESS

    def _reply(self, message: PamMessage) -> bytes | None:
        text = (message.text or b"").decode("utf-8", "replace")[:_LONGEST_TEXT]
        if message.style not in {PROMPT_ECHO_OFF, PROMPT_ECHO_ON}:
            _keep(self.messages, text)
            return None
        answer = self._answer(message.style, text)
        if answer is None:
            _keep(self.unanswered, text)
            raise PermissionError
        return _encode(answer)


def _no_delay(_code: int, _microseconds: int, _data: object) -> None:
    """In the place of pam_fail_delay's sleep."""


def _responses(answers: list[bytes | None]) -> int:
    address: int = libc.calloc(len(answers), ctypes.sizeof(PamResponse))
    responses = ctypes.cast(address, ctypes.POINTER(PamResponse))
    for number, answer in enumerate(answers):
        responses[number].text = None if answer is None else libc.strdup(answer)
    return address


def _take_strings(block: "ctypes._Pointer[ctypes.c_void_p]") -> "Iterator[str]":
    number = 0
    while address := block[number]:
        yield ctypes.string_at(address).decode("utf-8", "surrogateescape")
        libc.free(address)
        number += 1


def _keep(texts: list[str], text: str) -> None:
    if len(texts) < _MOST_TEXTS:
        texts.append(text)


def _encode(text: str) -> bytes:
    encoded = text.encode("utf-8", "surrogateescape")
    if b"\0" in encoded:
        raise ValueError("a NUL in a text for PAM")
    return encoded
