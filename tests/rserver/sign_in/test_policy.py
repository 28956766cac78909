import pytest

from rserver.sign_in.policy import Account, Refusal, SignInPolicy, Trouble, refusal_by_exit

ALICE = Account("alice", 1001, 1001, "/home/alice", "/bin/bash", frozenset({"alice", "users"}))


@pytest.mark.parametrize(
    ("account", "policy", "refusal"),
    [
        (ALICE, SignInPolicy(), None),
        (ALICE, SignInPolicy(1001), None),
        (ALICE, SignInPolicy(1002), Refusal.LOW_UID),
        (ALICE, SignInPolicy(required_groups=frozenset({"staff", "users"})), None),
        (ALICE, SignInPolicy(required_groups=frozenset({"staff"})), Refusal.NOT_IN_GROUP),
        (None, SignInPolicy(), Refusal.NO_ACCOUNT),
    ],
)
def test_who_may_come_in(account: Account | None, policy: SignInPolicy, refusal: Refusal | None) -> None:
    assert policy.refusal(account) is refusal


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (0, None),
        (1, Refusal.REFUSED_BY_PAM),
        (2, Trouble.PAM_FAILED),
        (3, Trouble.PAM_FAILED),
        (4, Refusal.MUST_CHANGE),
    ],
)
def test_exit_codes_of_rserver_pam(code: int, meaning: Refusal | Trouble | None) -> None:
    assert refusal_by_exit(code) is meaning
