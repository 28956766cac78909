from rserver.sessions.leftovers import MOST, Leftovers

ALICE, BOB = ("alice", 1001), ("bob", 1002)


def test_each_account_has_its_own() -> None:
    leftovers = Leftovers({ALICE: "a,b"})
    leftovers.add(BOB, "c")
    leftovers.add(ALICE, "b")
    assert (leftovers.of(ALICE), leftovers.of(BOB), leftovers.of(("carol", 3))) == (("a", "b"), ("c",), ())
    assert leftovers.take_changed() == [(BOB, "c")]


def test_what_was_removed_or_lives_again_is_dropped() -> None:
    leftovers = Leftovers({ALICE: "a,b,c"})
    leftovers.drop(ALICE, ["a", "c", "x"])
    leftovers.drop(BOB, ["a"])
    assert leftovers.take_changed() == [(ALICE, "b")]
    leftovers.drop(ALICE, ["b"])
    assert leftovers.take_changed() == [(ALICE, "")]


def test_there_is_a_limit() -> None:
    leftovers = Leftovers()
    for number in range(MOST + 2):
        leftovers.add(ALICE, str(number))
    assert (len(leftovers.of(ALICE)), leftovers.of(ALICE)[0]) == (MOST, "2")
