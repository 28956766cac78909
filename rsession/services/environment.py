"""The list of objects in R's global environment, and their changes after each prompt."""

import json
from typing import TYPE_CHECKING

from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.rpc import RawJson
from rsession.service_api import ServiceApi

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

_log = Logger()


class EnvironmentWatch:
    """Asks R for changes at each prompt; one question at a time."""

    def __init__(self, api: ServiceApi) -> None:
        self._api = api
        self._is_asking = False

    def state(self) -> "Deferred[RawJson]":
        """The first 2000 objects by name."""
        return self._api.jobs.call("environment_state").addCallback(lambda answer: RawJson(answer.decode()))

    def look(self) -> None:
        """Emit what changed since the last look."""
        if not self._is_asking:
            self._is_asking = True
            self._api.jobs.call("environment_changes").addCallbacks(self._tell, _complain).addBoth(self._rest)

    def _tell(self, answer: bytes) -> None:
        changes = json.loads(answer)
        if changes is not None:
            self._api.events.emit("environment_changed", changes)

    def _rest(self, _: object) -> None:
        self._is_asking = False


def register(api: ServiceApi) -> None:
    """Enter `get_environment_state` and the watch."""
    watch = EnvironmentWatch(api)

    @api.rpc.method("get_environment_state", is_use=False)
    def get_environment_state() -> "Deferred[RawJson]":
        """Objects of the global environment by name, at most 2000; promises and active bindings are not evaluated."""
        return watch.state()

    api.on_prompt(watch.look)


def _complain(failure: Failure) -> None:
    _log.warn("the environment cannot be compared: {reason}", reason=failure.getErrorMessage())
