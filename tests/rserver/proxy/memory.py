"""How much memory a process uses; this one unless another is named."""

from pathlib import Path


def resident_bytes(process: int | str = "self") -> int:
    """Resident size now."""
    return _kilobytes("VmRSS", process)


def reset_peak(process: int | str = "self") -> None:
    """Begin a new measurement of `peak_bytes`."""
    Path(f"/proc/{process}/clear_refs").write_text("5")


def peak_bytes(process: int | str = "self") -> int:
    """Largest resident size since reset_peak."""
    return _kilobytes("VmHWM", process)


def _kilobytes(field: str, process: int | str) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
