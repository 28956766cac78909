"""Inputs that say nothing about a console, each with the reason."""

LEFT_OUT_PAGES: dict[str, str] = {}

LEFT_OUT_TESTS: dict[str, str] = {
    "CRANtools.R": "asks CRAN",
    "internet.R": "asks servers that no longer answer",
    "internet2.R": "asks servers that no longer answer",
    "libcurl.R": "asks servers that no longer answer",
    "reg-large.R": "wants more than 16 GB of memory and hours",
    "reg-win.R": "is for Windows",
}
