"""What must differ between two runs of R, made equal: process ids, temporary names, addresses, clocks and timings."""

import re

_RULES = (
    (re.compile(r"/tmp/conformance-\w{8}"), "<base>"),
    (re.compile(r"(?:/tmp/|<base>)[\w./-]*?Rtmp\w{6}"), "<tempdir>"),
    (re.compile(r"\bRtmp\w{6}\b"), "<tempdir>"),
    (re.compile(r"(<tempdir>/+[A-Za-z_.-]*?)[0-9a-f]{6,}"), r"\1<unique>"),
    (re.compile(r'"([a-z]*?)[0-9a-f]{10,14}(\.R)?"'), r'"\1<unique>\2"'),
    (re.compile(r"(0x|@)[0-9a-f]{6,}"), "<address>"),
    (re.compile(r"<(environment|pointer|bytecode): (?:<address>|0x[0-9a-f]+)>"), r"<\1>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( [A-Z]{3,4})?"), "<time>"),
    (re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d( [A-Z]{3,4})? \d{4}"), "<time>"),
    (re.compile(r"( *user +system +elapsed *\n)( *[\d.]+){3}"), r"\1<timings>"),
    (re.compile(r"(?m)^(Time elapsed: ).*$"), r"\1<timings>"),
)
_BLANKS = re.compile(r" +")
_LAST_BLANKS = re.compile(r" +\n")
_NUMBERS = re.compile(r"[-+]?\d[\d.,:e+-]*|[0-9a-f]{4,}|[ \t-]+")


def normalised(text: str) -> str:
    """The text with everything replaced that cannot be the same in two processes."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    # Names of several lengths make the alignment of what is beside them differ.
    return _BLANKS.sub(" ", _LAST_BLANKS.sub("\n", text)) if "<unique>" in text else text


def without_numbers(text: str) -> str:
    """What is left to compare where R itself gives other numbers (and so another alignment) in every run."""
    return _NUMBERS.sub("#", normalised(text))
