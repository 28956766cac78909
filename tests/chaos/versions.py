"""The states that something went through, and which of them may be found again."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Versions(Generic[T]):
    """States in the order in which they were asked for.

    confirmed: index of the oldest one that anything may bring back; executed: of the oldest that the same process may
    show. Whoever asks for a state and hears nothing asks for no other before `judge` told which one is there.
    """

    states: list[T]
    confirmed: int = 0
    executed: int = 0
    discarded: list[T] = field(default_factory=list)
    """States that are right too, because its user threw the others away."""

    @property
    def newest(self) -> T:
        """The last state that was asked for."""
        return self.states[-1]

    def begin(self, state: T) -> int:
        """Another state is asked for; its index."""
        self.states.append(state)
        return len(self.states) - 1

    def execute(self, index: int) -> None:
        """That state was seen."""
        self.executed = max(self.executed, index)

    def confirm(self, index: int) -> None:
        """That state, or a later one, is safe."""
        self.confirmed = max(self.confirmed, index)

    def may_start_anew(self, state: T) -> None:
        """Its user ended it: the first state may be found too."""
        self.discarded.append(state)

    def judge(self, found: T, same_process: bool) -> str | None:
        """What is wrong with finding this state, None when nothing is. Later states never were, afterwards."""
        oldest = self.executed if same_process else self.confirmed
        if found in self.states[oldest:]:
            self._settle(oldest + self.states[oldest:].index(found), same_process)
            return None
        complaint = None if found in self.discarded else self._complaint(found, oldest)
        self.states, self.confirmed, self.executed, self.discarded = [found], 0, 0, []
        return complaint

    def _settle(self, index: int, same_process: bool) -> None:
        del self.states[index + 1 :]
        self.executed = index
        if not same_process:
            # It came from where the next process would find it too.
            self.confirmed, self.discarded = index, []

    def _complaint(self, found: T, oldest: int) -> str:
        if found in self.states:
            return f"state {self.states.index(found)} was found, {oldest} is safe: {_short(self.states[oldest])}"
        return f"{_short(found)} was found, it never was like that; {oldest} is safe: {_short(self.states[oldest])}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 600 else f"{text[:300]} … {text[-280:]} ({len(text)} characters)"
