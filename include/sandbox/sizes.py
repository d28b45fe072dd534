"""Sizes of what is generated: by name, or by numbers over one of the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields, replace
from typing import Any, ClassVar, Protocol, TypeVar


class Numbers(Protocol):
    """A dataclass of whole numbers."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


S = TypeVar("S", bound=Numbers)


def size_named(text: str, sizes: Mapping[str, S], *, what: str, example: str) -> S:
    """Return the size a text names: a name, one with other numbers (`full,emner=200`), or the demo's with such alone.

    :param what: what has the size, for the message
    :param example: numbers, for the message

    Raises ValueError, naming what is allowed, for any other.
    """
    if text in sizes:
        return sizes[text]
    base, _, numbers = text.partition(",")
    if base not in sizes:
        base, numbers = "demo", text
    names = [field.name for field in fields(sizes[base])]
    given = dict(part.partition("=")[::2] for part in numbers.split(","))
    if not all(name in names and value.isascii() and value.isdigit() for name, value in given.items()):
        raise ValueError(
            f"{what} must be one of {', '.join(sizes)} or numbers such as {example} with the names {', '.join(names)},"
            f" not {text!r}."
        )
    return replace(sizes[base], **{name: int(value) for name, value in given.items()})
