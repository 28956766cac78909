"""Sizes of memory in words, by powers of 1024 as profiles, the kernel and R count them."""

_STEP = 1024


def in_words(size: float) -> str:
    """Such as `850 MB`, `4 GB` or `4.1 GB`."""
    megabytes = size / _STEP**2
    if megabytes < _STEP:
        return f"{megabytes:.0f} MB"
    return f"{megabytes / _STEP:.1f}".removesuffix(".0") + " GB"
