"""How much memory this process uses."""

from pathlib import Path


def resident_bytes() -> int:
    """Resident size now."""
    return _kilobytes("VmRSS")


def reset_peak() -> None:
    """Begin a new measurement of `peak_bytes`."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """Largest resident size since reset_peak."""
    return _kilobytes("VmHWM")


def _kilobytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
