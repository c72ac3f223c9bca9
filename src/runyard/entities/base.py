"""What every entity is: attributes that can be iterated over, compared and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from typing_extensions import Self

E = TypeVar("E", bound="Entity")
T = TypeVar("T")


class Entity:
    """A thing that a server told of; iterating gives its attributes' names and values, so that dict() takes it."""

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        kind = type(self)
        derived = {name for name in dir(kind) if isinstance(getattr(kind, name), property)}
        for name in sorted(derived | {name for name in vars(self) if not name.startswith("_")}):
            yield name, getattr(self, name)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(f'{name}={value!r}' for name, value in self)}>"

    @classmethod
    def from_dictionary(cls, the_dict: Mapping[str, Any]) -> Self:
        return cls(**the_dict)


class PagedList(list[T]):
    """One page of a search; ``token`` asks for the next, and is None on the last."""

    def __init__(self, items: list[T], token: str | None) -> None:
        super().__init__(items)
        self.token = token

    def to_list(self) -> list[T]:
        return list(self)
