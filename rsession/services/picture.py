"""Which picture of a plot is wanted: checked sizes, and the name R gives its file."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rsession.error_code import ErrorCode, RpcError

MAX_SIDE = 8192
MAX_PIXELS = 32 * 1024 * 1024
_PATH = re.compile(r"/graphics/([0-9a-f]{8,32})\.png")


@dataclass(frozen=True)
class PictureSize:
    """Width and height in CSS pixels, `dpr` device pixels for each."""

    width: int = 800
    height: int = 600
    dpr: float = 1.0

    def __post_init__(self) -> None:
        """Raises RpcError PARAM_INVALID for what could not be drawn."""
        if not (1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE):
            raise RpcError(ErrorCode.PARAM_INVALID, f"width and height must be 1 to {MAX_SIDE}")
        if not (math.isfinite(self.dpr) and 0.1 <= self.dpr <= 8):
            raise RpcError(ErrorCode.PARAM_INVALID, "dpr must be 0.1 to 8")
        if self.width * self.height * self.dpr**2 > MAX_PIXELS:
            raise RpcError(ErrorCode.PARAM_INVALID, f"a picture may have at most {MAX_PIXELS} pixels")

    @classmethod
    def rounded(cls, width: float, height: float, dpr: float) -> "PictureSize":
        """From numbers as a page measures them; raises RpcError PARAM_INVALID."""
        if not all(map(math.isfinite, (width, height, dpr))):
            raise RpcError(ErrorCode.PARAM_INVALID, "width, height and dpr must be finite")
        return cls(round(width), round(height), float(dpr))

    def as_arguments(self) -> tuple[str, str, str]:
        """Width, height and dpr for R."""
        return str(self.width), str(self.height), f"{self.dpr:.2f}"

    def file_name(self, id_: str, revision: int) -> str:
        """As `picture_name` in plots.R makes it."""
        return f"{id_}-{revision}-{self.width}x{self.height}@{round(float(f'{self.dpr:.2f}') * 100)}.png"


@dataclass(frozen=True)
class PictureRequest:
    """`revision` None means the newest."""

    id: str
    size: PictureSize
    revision: int | None


def parse_request(path: str, query: Mapping[str, str], default: PictureSize) -> PictureRequest | None:
    """None when the path names no picture; raises RpcError PARAM_INVALID."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    width = _whole(query, "width", default.width)
    size = PictureSize(width or 0, _whole(query, "height", default.height) or 0, _fraction(query, default.dpr))
    return PictureRequest(match[1], size, _whole(query, "revision", None))


def _whole(query: Mapping[str, str], name: str, default: int | None) -> int | None:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise RpcError(ErrorCode.PARAM_INVALID, f"{name} must be a whole number")
    return int(text)


def _fraction(query: Mapping[str, str], default: float) -> float:
    text = query.get("dpr")
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,20})?", text):
        raise RpcError(ErrorCode.PARAM_INVALID, "dpr must be a number")
    return float(text)
