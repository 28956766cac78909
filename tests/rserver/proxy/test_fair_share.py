"""Who begins in which turn of the loop."""

import asyncio
from functools import partial

from rserver.proxy.admission import Admission
from rserver.proxy.fair_share import FairShare
from tests.rserver import own_loop


def test_others_begin_before_the_rest_of_one_user() -> None:
    async def run() -> list[str]:
        begun: list[str] = []
        shares = FairShare(asyncio.get_running_loop(), 2)
        for number in range(5):
            shares.begin("many", partial(begun.append, f"many {number}"))
        shares.begin("one", lambda: begun.append("one"))
        assert begun == ["many 0", "many 1", "one"]
        assert len(shares) == 3
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(shares) == 0
        return begun

    assert own_loop.run(run()) == ["many 0", "many 1", "one", "many 2", "many 3", "many 4"]


def test_late_comer_does_not_overtake_the_own_queue() -> None:
    async def run() -> list[int]:
        begun: list[int] = []
        shares = FairShare(asyncio.get_running_loop(), 1)
        for number in range(3):
            shares.begin("a", partial(begun.append, number))
        await asyncio.sleep(0)
        shares.begin("a", lambda: begun.append(3))
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(shares) == 0
        return begun

    assert own_loop.run(run()) == [0, 1, 2, 3]


def test_admission_counts_all_and_each() -> None:
    admission = Admission(most=3, most_each=2)
    for key in ("a", "a"):
        assert admission.may_enter(key)
        admission.enter(key)
    assert not admission.may_enter("a")
    assert admission.may_enter("a", counted=False)
    assert admission.may_enter("b")
    admission.enter("b")
    assert not admission.may_enter("c", counted=False)
    admission.leave("a")
    assert admission.may_enter("c")
    assert (len(admission), admission.of("a"), admission.of("c")) == (2, 1, 0)


def test_no_limit() -> None:
    admission = Admission()
    for _ in range(5):
        admission.enter("a")
    assert admission.may_enter("a")
