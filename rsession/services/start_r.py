"""What the R half of the services needs once, before the first of their calls."""

import json
import time

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession import _shim
from rsession.error_code import ErrorCode, RpcError
from rsession.service_api import ServiceApi

_log = Logger()


def start_r(api: ServiceApi) -> "Deferred[str]":
    """Set R's options and hooks; fires with the folder of the plots' pictures.

    Plots of this process are numbered behind the time of its start, so that no browser finds an older one in its cache.
    """
    loaded = api.jobs.call("bindings_load", _shim.__file__)
    options = api.jobs.call("session_options")
    plots = api.jobs.call("plots_start", f"{int(time.time()):x}")
    return gatherResults([loaded, options, plots], consumeErrors=True).addCallbacks(_folder, _failed)


def _folder(answers: list[bytes]) -> str:
    return str(json.loads(answers[2]))


def _failed(failure: Failure) -> Failure:
    reason = failure.value.subFailure.value if isinstance(failure.value, FirstError) else failure.value
    # A profile that quits ends R before its first prompt: that is no failure of ours.
    if not (isinstance(reason, RpcError) and reason.code == ErrorCode.UNAVAILABLE):
        _log.error("R's part of the services did not start: {reason}", reason=reason)
    return failure
