"""The whole look: from the first connection to the last trial."""

import http.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from rserver_diagnose import arrival, certificate, faults, streams, trials
from rserver_diagnose.address import Address
from rserver_diagnose.connection import Answer, Caller
from rserver_diagnose.failure import in_words
from rserver_diagnose.finding import Finding, printable

SILENCE_SECONDS = 35
_MOST_REDIRECTS = 10
_GATEWAY = frozenset({502, 503, 504})
Trial = Callable[[Caller], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and what stands in front; is_reached: of anything that speaks HTTP."""

    address: Address
    findings: tuple[Finding, ...]
    proxy: str = ""
    is_direct: bool = False
    is_reached: bool = True

    @property
    def is_good(self) -> bool:
        """Nothing grave."""
        return not any(finding.fault.grave for finding in self.findings)

    def data(self) -> dict[str, object]:
        """For programs."""
        return {
            "ok": self.is_good,
            "url": self.address.url,
            "direct": self.is_direct,
            "proxy": self.proxy,
            "findings": [finding.data() for finding in self.findings],
        }

    def text(self) -> str:
        """For people."""
        between = "no proxy in between" if self.is_direct else f"through {self.proxy or 'a proxy'}"
        if not self.findings:
            return f"{self.address.url}: all is well ({between})."
        title = f"{self.address.url} ({between}):" if self.is_reached else f"{self.address.url}:"
        return "\n\n".join([title, *(finding.text() for finding in self.findings)])


def diagnosed(address: Address, token: str, ca_file: str = "", silence_seconds: int = SILENCE_SECONDS) -> Report:
    """The report. Takes a little longer than silence_seconds, how long connections are kept silent on trial."""
    found: list[Finding] = []
    context = None
    try:
        if address.scheme == "https":
            seen = certificate.looked_at(address, ca_file)
            found += seen.findings
            if (context := seen.context) is None:
                return Report(address, tuple(found), is_reached=False)
        caller = Caller(address, token, context)
        answer = caller.ask("echo")
    except (OSError, http.client.HTTPException) as error:
        unreachable = Finding(faults.UNREACHABLE, in_words(error, address))
        return Report(address, (*found, unreachable), is_reached=False)
    proxy = printable(answer.first("server")[:60])
    if answer.arrived is None:
        return Report(address, (*found, *_not_ours(caller, answer)), proxy)
    found += arrival.judged(answer.arrived, address, answer.own)
    found += _tried(caller, silence_seconds)
    return Report(address, tuple(found), proxy, arrival.is_direct(answer.arrived, answer.own))


def _tried(caller: Caller, seconds: int) -> list[Finding]:
    quick: tuple[Trial, ...] = (
        trials.cookies,
        trials.redirects,
        trials.methods,
        trials.encoded_path,
        trials.invented_headers,
        trials.sizes,
        streams.streams,
    )
    slow: tuple[Trial, ...] = (
        lambda caller: trials.websocket(caller, seconds),
        lambda caller: trials.silence(caller, seconds),
    )
    with ThreadPoolExecutor(len(slow) + 2) as pool:
        waiting = [pool.submit(_all, trial, caller) for trial in (*slow, *quick)]
        # In the order of the table: what is quick to see comes first.
        results = [future.result() for future in waiting]
    return [finding for result in (*results[len(slow) :], *results[: len(slow)]) for finding in result]


def _all(trial: Trial, caller: Caller) -> list[Finding]:
    try:
        return list(trial(caller))
    except (OSError, http.client.HTTPException) as error:
        return [Finding(faults.UNREACHABLE, f"a trial was broken off: {in_words(error, caller.address)}")]
    except (ValueError, KeyError, TypeError) as error:
        return [Finding(faults.UNREACHABLE, f"a trial was broken off: {error or type(error).__name__}")]


def _not_ours(caller: Caller, answer: Answer) -> Iterator[Finding]:
    """Why something else answered."""
    if 300 <= answer.status < 400 and answer.first("location"):
        yield from _redirected(caller, answer)
    elif answer.status in _GATEWAY:
        yield Finding(faults.NO_UPSTREAM, f"the proxy answers with {answer.words}")
    else:
        yield Finding(faults.NOT_OURS, f"{caller.address.path}{arrival.ECHO} was answered with {answer.words}")


def _redirected(caller: Caller, answer: Answer) -> Iterator[Finding]:
    begin = caller.address.origin + caller.address.path + arrival.ECHO
    url, seen = begin, [begin]
    for _ in range(_MOST_REDIRECTS):
        parts = _next(url, answer.first("location"))
        if parts is None:
            break
        url = parts.geturl()
        seen.append(url)
        if url in seen[:-1]:
            yield Finding(faults.LOOP, " → ".join(seen)[:500])
            return
        if f"{parts.scheme}://{parts.netloc}" != caller.address.origin:
            break
        answer = caller.ask("echo", "/" + (parts.path or "/"))
        if not (300 <= answer.status < 400 and answer.first("location")):
            break
    else:
        yield Finding(faults.LOOP, f"after {_MOST_REDIRECTS} redirects: {url[:300]}")
        return
    yield Finding(faults.ELSEWHERE if answer.arrived else faults.NOT_OURS, " → ".join(seen)[:500])


def _next(url: str, location: str) -> SplitResult | None:
    """Where a redirect leads; None when that is no address."""
    try:
        return urlsplit(urljoin(url, location))
    except ValueError:
        return None
