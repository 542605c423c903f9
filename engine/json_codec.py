"""Frozen dataclasses to JSON objects and back, strictly.

Handles exactly what `engine.api` is made of: str, int, float, bool, None, enums, nested
dataclasses, unions with None, and tuples. Anything else, an unknown name, a missing name or a
value of the wrong type is refused by name: what arrives may come from a file that anyone wrote.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from engine.errors import EngineError, MessageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
JsonObject = dict[str, Any]

_MAX_SHOWN = 80
_MAX_SHOWN_BITS = 128


def to_json(value: DataclassInstance) -> JsonObject:
    """`value` as a dict that `json.dumps` takes."""
    return {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}


def from_json(cls: type[T], data: object, *, where: str = "") -> T:
    """The `cls` that `to_json` made `data` from.

    Raises:
        MessageError: a name is unknown or missing, or a value has the wrong type or range; the
            message has the path of the name, such as "request.size.width".
    """
    path = where or cls.__name__
    if not isinstance(data, dict):
        raise MessageError(f"{path} must be an object, not {shown(data)}.")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    given = cast("Mapping[str, object]", data)
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise MessageError(f"{path} has no {shown(unknown[0])}.")
    hints = get_type_hints(cls)
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in given:
            values[name] = _decode(hints[name], given[name], f"{path}.{name}")
        elif field.default is dataclasses.MISSING:
            raise MessageError(f"{path} lacks {name!r}.")
    try:
        return cls(**values)
    except MessageError:
        raise
    except EngineError as error:
        raise MessageError(f"{path}: {error.message}") from error


def shown(value: object) -> str:
    """`value` in a few words, for a message; whatever it is, this is short and does not fail."""
    names: dict[type, str] = {dict: "an object", list: "a list", type(None): "null"}
    if type(value) in names:  # these may be nested deeper than `repr` goes
        return names[type(value)]
    if isinstance(value, int) and value.bit_length() > _MAX_SHOWN_BITS:
        return f"a number of {value.bit_length()} bits"  # Python writes out 4300 digits at most
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def _encode(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_json(value)
    if isinstance(value, tuple):
        return [_encode(item) for item in cast("tuple[object, ...]", value)]
    return value


def _decode(expected: Any, value: object, path: str) -> object:
    origin = get_origin(expected)
    if origin in (Union, types.UnionType):
        options = get_args(expected)
        if value is None and type(None) in options:
            return None
        (expected,) = [option for option in options if option is not type(None)]
        return _decode(expected, value, path)
    if origin is tuple:
        return _decode_tuple(get_args(expected), value, path)
    if dataclasses.is_dataclass(expected):
        return from_json(cast("type[DataclassInstance]", expected), value, where=path)
    if isinstance(expected, type) and issubclass(expected, Enum):
        # Calling the enum would write out the value in its error, and fail at one nested deeply.
        for member in expected:
            if isinstance(value, str) and member.value == value:
                return member
        choices = ", ".join(repr(member.value) for member in expected)
        raise MessageError(f"{path} must be one of {choices}, not {shown(value)}.")
    return _decode_plain(expected, value, path)


def _decode_tuple(items: tuple[Any, ...], value: object, path: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise MessageError(f"{path} must be a list, not {shown(value)}.")
    values = cast("list[object]", value)
    if len(items) == 2 and items[1] is Ellipsis:
        items = (items[0],) * len(values)
    if len(values) != len(items):
        raise MessageError(f"{path} must have {len(items)} items, not {len(values)}.")
    return tuple(
        _decode(item, entry, f"{path}[{index}]")
        for index, (item, entry) in enumerate(zip(items, values, strict=True))
    )


def _decode_plain(expected: type, value: object, path: str) -> object:
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            value = float(value)
    # bool is an int in Python, and NaN is a float in its JSON: neither is a number here.
    is_number_of_kind = isinstance(value, expected) and (
        expected is bool or not isinstance(value, bool)
    )
    if not is_number_of_kind or (isinstance(value, float) and not math.isfinite(value)):
        raise MessageError(f"{path} must be {_NAMES[expected]}, not {shown(value)}.")
    return value


_NAMES: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
