"""The promises of the fuzz targets, for the seeds and inputs near them; and a while of real fuzzing."""

from importlib.util import find_spec

import pytest

from tests.fuzz.__main__ import fuzz
from tests.fuzz.seeds import mutated, seeds
from tests.fuzz.targets import TARGETS

SEED = 20_261_122
each_target = pytest.mark.parametrize("name", list(TARGETS))


@each_target
def test_seeds(name: str) -> None:
    for data in (b"", b"\0", *seeds(name)):
        TARGETS[name](data)


@each_target
def test_inputs_near_the_seeds(name: str) -> None:
    for data in mutated(name, SEED, 3000):
        TARGETS[name](data)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="needs atheris (pip install atheris)")
@each_target
def test_a_while_of_fuzzing_finds_nothing(name: str) -> None:
    result = fuzz(name, 100)
    assert result.complaint == ""
    assert result.executions > 10_000
