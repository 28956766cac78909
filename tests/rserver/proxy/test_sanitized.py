"""The compiled readers of heads and chunks under AddressSanitizer and UndefinedBehaviorSanitizer."""

import shutil
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).parents[3] / "rserver" / "proxy" / "native"
HARNESS = Path(__file__).with_name("scan_fuzz.c")


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    program = tmp_path_factory.mktemp("fuzz") / "scan_fuzz"
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1"]
    sources = [HARNESS, *(NATIVE / name for name in ("ascii.c", "http_scan.c", "chunk_scan.c"))]
    subprocess.run(["gcc", "-std=gnu11", *sanitizers, f"-I{NATIVE}", "-o", program, *sources], check=True)
    return program


def accepted(program: Path, seed: int, rounds: int) -> int:
    command = [str(program), str(seed), str(rounds)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_damaged_input_is_read_within_its_bounds(fuzzer: Path) -> None:
    assert accepted(fuzzer, 1, 20_000) > 1_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_much_damaged_input(fuzzer: Path, seed: int) -> None:
    assert accepted(fuzzer, seed, 1_000_000) > 50_000
