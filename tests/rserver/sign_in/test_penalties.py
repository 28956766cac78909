from hypothesis import given
from hypothesis import strategies as st

from rserver.sign_in.penalties import LEAK_SECONDS, LONGEST_DELAY, Penalties, network


def fail(penalties: Penalties, times: int, user: str = "alice", address: str = "192.0.2.1", now: float = 0.0) -> None:
    for _ in range(times):
        penalties.failed(user, address, now)


def test_a_few_mistakes_are_free() -> None:
    penalties = Penalties()
    fail(penalties, Penalties.FREE_FOR_USER - 1)
    assert penalties.delay("alice", "192.0.2.1", 0.0) == 0.0


def test_the_delay_doubles_up_to_half_a_minute() -> None:
    penalties, delays = Penalties(), []
    for _ in range(12):
        fail(penalties, 1)
        delays.append(penalties.delay("alice", "192.0.2.1", 0.0))
    assert delays[2:8] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert delays[-1] == LONGEST_DELAY


def test_the_user_is_slowed_from_every_address() -> None:
    penalties = Penalties()
    for number in range(6):
        penalties.failed("alice", f"192.0.2.{number}", 0.0)
    assert penalties.delay("alice", "198.51.100.7", 0.0) == 8.0
    assert penalties.delay("bob", "198.51.100.7", 0.0) == 0.0


def test_the_address_is_slowed_for_every_user() -> None:
    penalties = Penalties()
    for number in range(13):
        penalties.failed(f"user{number}", "192.0.2.1", 0.0)
    assert penalties.delay("alice", "192.0.2.1", 0.0) == 8.0
    assert penalties.delay("alice", "192.0.2.2", 0.0) == 0.0


def test_a_success_resets_the_user_and_not_the_address() -> None:
    penalties = Penalties()
    fail(penalties, 14)
    penalties.succeeded("alice")
    assert penalties.delay("alice", "192.0.2.9", 0.0) == 0.0
    assert penalties.delay("alice", "192.0.2.1", 0.0) > 0.0


def test_failures_leak_away() -> None:
    penalties = Penalties()
    fail(penalties, 5)
    assert penalties.delay("alice", "192.0.2.1", 0.0) == 4.0
    assert penalties.delay("alice", "192.0.2.1", 1.6 * LEAK_SECONDS) == 1.0
    assert penalties.delay("alice", "192.0.2.1", 5 * LEAK_SECONDS) == 0.0


def test_the_tables_are_bounded() -> None:
    penalties = Penalties(size=100)
    for number in range(1000):
        penalties.failed(f"user{number}", f"10.0.{number // 256}.{number % 256}", 0.0)
    assert len(penalties._users) == len(penalties._addresses) == 100


def test_what_counts_as_one_address() -> None:
    assert network("::ffff:192.0.2.1") == network("192.0.2.1")
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9")
    assert network("2001:db8:1:3::1") != network("2001:db8:1:2::1")
    assert network("fe80::1%eth0") == network("fe80::2")


@given(st.text(max_size=100), st.floats(0, 1e9))
def test_no_address_and_no_clock_breaks_it(address: str, now: float) -> None:
    penalties = Penalties()
    penalties.failed("alice", address, now)
    assert 0.0 <= penalties.delay("alice", address, 0.0) <= LONGEST_DELAY
