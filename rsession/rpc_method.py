"""The table of RPC methods: names, parameters and documentation in one place, from which the reference page is made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rsession.error_code import ErrorCode, RpcError

Kind = Literal["string", "integer", "number", "boolean", "object", "any"]
Handler = Callable[..., object]

REQUIRED = object()
"""Default of a parameter that has none."""

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "any": (object,),
}


@dataclass(frozen=True)
class Param:
    """One parameter; `nullable` lets JSON null through as None, `default` makes it optional."""

    name: str
    kind: Kind
    default: object = REQUIRED
    nullable: bool = False
    doc: str = ""

    def check(self, value: object) -> object:
        """Return the value, or raise RpcError PARAM_TYPE naming the parameter."""
        if value is None and self.nullable:
            return None
        is_stray_bool = isinstance(value, bool) and self.kind in ("integer", "number")
        if is_stray_bool or not isinstance(value, _TYPES[self.kind]):
            raise RpcError(ErrorCode.PARAM_TYPE, f"parameter {self.name} must be of type {self.kind}")
        return value


@dataclass(frozen=True)
class Method:
    """One entry of the table. With `wants_client` the handler's first argument is the caller's clientId (text)."""

    name: str
    params: tuple[Param, ...]
    handler: Handler
    doc: str
    wants_client: bool = False
    open_to_strangers: bool = False
    """Answered without a known clientId."""
    is_use: bool = True
    """Called because a person did something, not by a page or a server of its own accord."""

    def bind(self, params: list[object], kwparams: dict[str, object]) -> list[object]:
        """Arguments for the handler, in order; raises RpcError for missing, superfluous or mistyped ones."""
        if len(params) > len(self.params):
            raise RpcError(ErrorCode.PARAM_INVALID, f"{self.name} takes at most {len(self.params)} parameters")
        unknown = kwparams.keys() - {param.name for param in self.params[len(params) :]}
        if unknown:
            raise RpcError(ErrorCode.PARAM_INVALID, f"{self.name} has no free parameter {min(unknown)}")
        given = dict(zip((param.name for param in self.params), params, strict=False)) | kwparams
        return [self._argument(param, given) for param in self.params]

    def _argument(self, param: Param, given: dict[str, object]) -> object:
        if param.name in given:
            return param.check(given[param.name])
        if param.default is REQUIRED:
            raise RpcError(ErrorCode.PARAM_MISSING, f"{self.name} needs the parameter {param.name}")
        return param.default


class MethodTable:
    """Methods by name; a handler returns a JSON value or a Deferred of one, and raises RpcError to refuse."""

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}

    def __iter__(self) -> Iterator[Method]:
        return iter(self._methods.values())

    def add(self, method: Method) -> None:
        """Raises ValueError when the name is taken."""
        if method.name in self._methods:
            raise ValueError(f"RPC method {method.name} is defined twice")
        self._methods[method.name] = method

    def method(
        self,
        name: str,
        *params: Param,
        wants_client: bool = False,
        open_to_strangers: bool = False,
        is_use: bool = True,
    ) -> Callable[[Handler], Handler]:
        """Decorator that enters a handler; its docstring is the documentation of the method."""

        def enter(handler: Handler) -> Handler:
            doc = handler.__doc__ or ""
            self.add(Method(name, params, handler, doc, wants_client, open_to_strangers, is_use))
            return handler

        return enter

    def find(self, name: str) -> Method:
        """Raises RpcError UNKNOWN_METHOD."""
        method = self._methods.get(name)
        if method is None:
            raise RpcError(ErrorCode.UNKNOWN_METHOD, f"there is no method {name[:64]}")
        return method
