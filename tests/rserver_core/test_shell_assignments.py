from hypothesis import given
from hypothesis import strategies as st

from rserver_core.shell_assignments import assignments

LDPATHS = """
: ${JAVA_HOME=/usr/lib/jvm/default-java}
: ${R_JAVA_LD_LIBRARY_PATH=${JAVA_HOME}/lib/server}
if test -n "/usr/lib/x86_64-linux-gnu"; then
: ${R_LD_LIBRARY_PATH=${R_HOME}/lib:/usr/lib/x86_64-linux-gnu}
else
: ${R_LD_LIBRARY_PATH=${R_HOME}/lib}
fi
if test -n "${R_JAVA_LD_LIBRARY_PATH}"; then
  R_LD_LIBRARY_PATH="${R_LD_LIBRARY_PATH}:${R_JAVA_LD_LIBRARY_PATH}"
fi
## a comment
if test -z "${LD_LIBRARY_PATH}"; then
  LD_LIBRARY_PATH="${R_LD_LIBRARY_PATH}"
else
  LD_LIBRARY_PATH="${R_LD_LIBRARY_PATH}:${LD_LIBRARY_PATH}"
fi
export LD_LIBRARY_PATH
"""


def test_the_ldpaths_of_debian() -> None:
    values = assignments(LDPATHS, {"R_HOME": "/usr/lib/R"})
    libraries = "/usr/lib/R/lib:/usr/lib/x86_64-linux-gnu:/usr/lib/jvm/default-java/lib/server"
    assert values["LD_LIBRARY_PATH"] == libraries


def test_what_is_set_already_counts() -> None:
    given_values = {"R_HOME": "/r", "LD_LIBRARY_PATH": "/mine", "JAVA_HOME": "/java"}
    values = assignments(LDPATHS, given_values)
    assert values["LD_LIBRARY_PATH"] == "/r/lib:/usr/lib/x86_64-linux-gnu:/java/lib/server:/mine"


def test_branches_within_branches() -> None:
    text = "if [ -z '' ]; then\nif [ -n '' ]; then\nA=1\nelse\nA=2\nfi\nB=3\nfi\n"
    assert assignments(text, {}) == {"A": "2", "B": "3"}


@given(st.text())
def test_any_text_is_followed_as_far_as_it_goes(text: str) -> None:
    assert isinstance(assignments(text, {}), dict)


def test_nothing_is_run() -> None:
    assert assignments("A=$(touch /tmp/x)\nA=`id`\n", {})["A"] == "`id`"
