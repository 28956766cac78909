"""A world for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver.proxy.implementation import IS_COMPILED
from rserver.proxy.settings import FrontSettings
from tests.rserver.proxy.implementations import ENVIRONMENTS, READERS, Reader
from tests.rserver.proxy.world import World, running_world

CARRIERS = {False: "loop", True: "engine"}


@pytest.fixture(params=list(READERS.values()), ids=list(READERS), scope="session")
def reader(request: pytest.FixtureRequest) -> Reader:
    """Every implementation of heads and bodies, one after the other."""
    assert isinstance(request.param, Reader)
    return request.param


@pytest.fixture(params=list(ENVIRONMENTS), scope="module")
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Of a program that carries bytes, for every implementation."""
    return dict(ENVIRONMENTS[request.param])


@pytest.fixture(params=[False, True] if IS_COMPILED else [False], ids=lambda compiled: CARRIERS[compiled])
def compiled(request: pytest.FixtureRequest) -> bool:
    """Every implementation of what moves bytes, one after the other."""
    assert isinstance(request.param, bool)
    return request.param


@pytest.fixture
def world(tmp_path: Path, compiled: bool) -> Iterator[World]:
    with running_world(tmp_path, FrontSettings(), compiled=compiled) as running:
        yield running


@pytest.fixture
def hasty_world(tmp_path: Path, compiled: bool) -> Iterator[World]:
    """Time limits of a moment."""
    settings = FrontSettings(
        tick_seconds=0.02,
        head_seconds=0.2,
        keep_alive_seconds=0.2,
        body_stall_seconds=0.2,
        paused_seconds=0.05,
        linger_seconds=0.2,
        connect_seconds=0.2,
        pool_idle_seconds=0.1,
    )
    with running_world(tmp_path, settings, compiled=compiled) as running:
        yield running
