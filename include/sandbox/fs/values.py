"""Resolvers that both dialects share: plain attributes, names, numbers as texts, days, periods."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.fs.keys import Key
    from sandbox.fs.paging import Info
    from sandbox.university.model import Periode

Resolver = Callable[..., Any]
Resolvers = dict[str, dict[str, Resolver]]

LANGUAGES = {
    "nob": ("bokmål", "Norwegian Bokmål"),
    "nno": ("nynorsk", "Norwegian Nynorsk"),
    "eng": ("engelsk", "English"),
}
TERM_NAMES = {
    "VÅR": {"nb": "Vår", "nn": "Vår", "en": "Spring"},
    "SOM": {"nb": "Sommer", "nn": "Sommar", "en": "Summer"},
    "HØST": {"nb": "Høst", "nn": "Haust", "en": "Autumn"},
}


def itself(row: Any, _info: Info) -> Any:
    """Resolve to the same row: the members of the type below are read from it too."""
    return row


def attribute(path: str) -> Resolver:
    """Resolve to an attribute of the row, or of one of its attributes."""
    get = attrgetter(path)
    return lambda row, _info: get(row)


def text(path: str) -> Resolver:
    """Resolve to an attribute as a text, as FS gives numbers of units."""
    get = attrgetter(path)
    return lambda row, _info: str(get(row))


def constant(value: object) -> Resolver:
    """Resolve to the same value for every row."""
    return lambda _row, _info: value


def of_key(key: Key[Any], row_of: Callable[[Any], Any] = lambda row: row) -> Resolver:
    """Resolve to the node id of a key."""

    def node_id(row: Any, info: Info) -> str:
        return key.node_id(info.context.index.institution, row_of(row))

    return node_id


def term_name(language: str) -> Resolver:
    """Resolve a term's code to its name."""
    return lambda kode, _info: TERM_NAMES[kode][language]


def names(**languages: str) -> dict[str, Resolver]:
    """Return the resolvers of a name type: GraphQL key to the language of the name."""
    return {key: attribute(language) for key, language in languages.items()}


def period() -> dict[str, Resolver]:
    """Return the resolvers of a period type."""

    def from_day(periode: Periode, _info: Info) -> str | None:
        return periode.fra.isoformat() if periode.fra else None

    def to_day(periode: Periode, _info: Info) -> str | None:
        return periode.til.isoformat() if periode.til else None

    return {"fraDato": from_day, "tilDato": to_day}
