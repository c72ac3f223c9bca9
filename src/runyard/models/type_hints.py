"""What a model takes and gives as its ``predict`` says it: ``list[…]`` of scalars, lists, dicts and pydantic models.

Source: the types are those of which MLflow 3 makes a signature.
"""

from __future__ import annotations

import base64
import datetime as dt
import inspect
import logging
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Union

from runyard.errors import InvalidParameter
from runyard.models.signature import AnyType, Array, ColSpec, DataType, Map, Object, Property, Schema, Type, is_frame

_log: Final = logging.getLogger(__name__)

_SCALARS: Final[Mapping[Any, DataType]] = {
    bool: DataType.boolean,
    int: DataType.long,
    float: DataType.double,
    str: DataType.string,
    bytes: DataType.binary,
    dt.datetime: DataType.datetime,
}
_UNIONS: Final = (Union, types.UnionType)
# They do not say what is in them.
_BARE: Final = (list, dict, typing.List, typing.Dict)  # noqa: UP006 - what programs may say
_NOT_INPUTS: Final = ("self", "context", "params")


class UnknownType(InvalidParameter):
    """A type that no signature describes, and that a model may take all the same."""


@dataclass(frozen=True)
class Hints:
    """What a function's annotations say of its input and its output; None where they say nothing."""

    input: Any = None
    output: Any = None

    @property
    def is_of_signature(self) -> bool:
        """Whether the input is a list, of which a signature is made."""
        return _origin(self.input) is list


def hints_of(predict: Callable[..., Any]) -> Hints:
    """Return the hints of a function, or of a method, that predicts."""
    try:
        known = typing.get_type_hints(predict)
        names = [name for name in inspect.signature(predict).parameters if name not in _NOT_INPUTS]
    except (NameError, TypeError, ValueError) as error:
        _log.debug("the type hints of %r cannot be read: %s", predict, error)
        return Hints()
    return Hints(known.get(names[0]) if names else None, known.get("return"))


def keep_resolved(predict: Callable[..., Any]) -> None:
    """Put the types in the place of annotations that are texts, so that a pickle by value takes them along."""
    predict.__annotations__.update(typing.get_type_hints(predict))


def schema_of(hint: Any) -> Schema | None:
    """Return the schema of a list; None of any other hint, such as that of a data frame.

    Raises:
        InvalidParameter: the list says nothing of its items, or they may be None.
        UnknownType: no type of a signature describes its items.
    """
    if _origin(hint) is not list:
        return None
    return Schema([ColSpec(_type(_item(hint), str(hint)))])


def converted(data: Any, hint: Any) -> Any:
    """Return an input as the hint says: a list of what it names, pydantic models made of dicts.

    Args:
        data: a list; or a data frame, whose rows are the items: values of its one column, or dicts of several.
    Raises:
        InvalidParameter: an item is of another type; the message says which.
    """
    item = _item(hint)
    if is_frame(data):
        is_rows = len(data.columns) > 1 or (_fields(item) is not None and data.columns[0] in (_fields(item) or ()))
        data = data.to_dict(orient="records") if is_rows else data.iloc[:, 0].tolist()
    elif hasattr(data, "tolist"):
        data = data.tolist()
    if not isinstance(data, (list, tuple)):
        raise InvalidParameter(f"the model takes a list, {hint}, got {type(data).__name__}")
    return [_checked(value, item, f"item {index} of the input") for index, value in enumerate(data)]


def _origin(hint: Any) -> Any:
    return list if hint in (list, typing.List) else typing.get_origin(hint)  # noqa: UP006 - what programs may say


def _item(hint: Any) -> Any:
    arguments = typing.get_args(hint)
    if not arguments:
        raise InvalidParameter("a type hint of a model's input must say what is in the list, such as list[str]")
    return arguments[0]


def _type(hint: Any, whole: str) -> Type:
    if hint in _SCALARS:
        return _SCALARS[hint]
    if hint is Any:
        return AnyType()
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list and arguments:
        return Array(_type(arguments[0], whole))
    if origin is dict and arguments:
        if arguments[0] is not str:
            raise InvalidParameter(f"the type hint {whole} has a dict whose keys are not str")
        return Map(_type(arguments[1], whole))
    if origin in _UNIONS:
        if type(None) in arguments:
            raise InvalidParameter(
                f"the type hint {whole} has items that may be None: say list[Any], or use a pydantic model"
            )
        return AnyType()
    fields = _fields(hint)
    if fields is not None:
        return Object(_property(name, field, whole) for name, field in fields.items())
    kind = InvalidParameter if hint in _BARE else UnknownType
    raise kind(
        f"no signature is made of the type hint {whole}: its items must be str, int, float, bool, bytes, datetime, "
        "Any, lists or dicts of these, or pydantic models"
    )


def _property(name: str, field: Any, whole: str) -> Property:
    hint = field.annotation
    arguments = typing.get_args(hint)
    is_optional = typing.get_origin(hint) in _UNIONS and type(None) in arguments
    if is_optional:
        known = [each for each in arguments if each is not type(None)]
        return Property(name, _type(known[0], whole) if len(known) == 1 else AnyType(), required=False)
    return Property(name, _type(hint, whole))


def _fields(hint: Any) -> Mapping[str, Any] | None:
    """Return the fields of a pydantic model; None of anything else."""
    fields = getattr(hint, "model_fields", None) if isinstance(hint, type) else None
    return fields if isinstance(fields, Mapping) and hasattr(hint, "model_validate") else None


def _checked(value: Any, hint: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint in _SCALARS:
        return _scalar(value, hint, where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        # What fits none is let through: a signature says "any" of it.
        return value
    if origin is list:
        if not isinstance(value, (list, tuple)):
            raise _wrong(where, hint, value)
        return [_checked(each, arguments[0], f"{where}[{index}]") for index, each in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise _wrong(where, hint, value)
        return {key: _checked(each, arguments[1], f"{where}.{key}") for key, each in value.items()}
    if _fields(hint) is not None and not isinstance(value, hint):
        try:
            return hint.model_validate(value)
        except ValueError as wrong:
            raise InvalidParameter(f"{where} is no {hint.__name__}: {_shown(wrong)}") from None
    return value


def _scalar(value: Any, hint: Any, where: str) -> Any:
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is bytes and isinstance(value, str):
        # As JSON has bytes.
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            raise _wrong(where, hint, value) from None
    if hint is dt.datetime and isinstance(value, str):
        try:
            return dt.datetime.fromisoformat(value)
        except ValueError:
            raise _wrong(where, hint, value) from None
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise _wrong(where, hint, value)
    return value


def _shown(wrong: Any) -> str:
    """Return what pydantic found wrong on one line."""
    if not hasattr(wrong, "errors"):
        return str(wrong)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong.errors())


def _wrong(where: str, hint: Any, value: Any) -> InvalidParameter:
    named = getattr(hint, "__name__", str(hint)) if not typing.get_args(hint) else str(hint)
    return InvalidParameter(f"{where} must be {named}, got {value!r}")
