"""Canvas objects and changes as text in the store, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from rosterflow.domain.model import FIELDS, TYPES, CanvasObject, Origin, SourceKind, State

DATES = frozenset({"start", "end"})


class _Layout(NamedTuple):
    """How one kind of object is written.

    :param made: its class, which takes the id, the fields in their order, the state and the origin.
    :param fields: what takes its fields from it, in their order.
    :param dates: places of those that are dates.
    """

    made: Callable[..., CanvasObject]
    fields: Callable[[CanvasObject], tuple[Any, ...]]
    dates: tuple[int, ...]


_LAYOUTS: dict[str, _Layout] = {
    kind: _Layout(TYPES[kind], attrgetter(*names), tuple(n for n, name in enumerate(names) if name in DATES))
    for kind, names in FIELDS.items()
}
_encoded = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for each object
_STATES: dict[str, State] = {state: state for state in State}
_SOURCES: dict[str, SourceKind] = {source: source for source in SourceKind}


def body_of(thing: CanvasObject) -> str:
    """The compared fields of an object, without its id and state, as a JSON list in the order of ``FIELDS``."""
    return _encoded(_values(thing))


def thing_of(
    kind: str, sis_id: str, state: str, body: str, source: str, term: str | None, lineage: str
) -> CanvasObject:
    """The object that the columns of ``canvas_object`` describe."""
    return _thing(kind, sis_id, state, json.loads(body), source, term, lineage)


def text_of(thing: CanvasObject) -> str:
    """A whole object as one JSON text, with its origin."""
    origin = thing.origin
    return _encoded([thing.kind, thing.sis_id, thing.state, _values(thing), origin.source, origin.term, origin.lineage])


def from_text(text: str) -> CanvasObject:
    """The inverse of :func:`text_of`."""
    return _thing(*json.loads(text))


def _values(thing: CanvasObject) -> list[str | None]:
    layout = _LAYOUTS[thing.kind]
    values = list(layout.fields(thing))
    for place in layout.dates:
        if values[place] is not None:
            values[place] = values[place].isoformat()
    return values


def _thing(
    kind: str, sis_id: str, state: str, values: list[Any], source: str, term: str | None, lineage: str
) -> CanvasObject:
    layout = _LAYOUTS[kind]
    for place in layout.dates:
        if values[place] is not None:
            values[place] = datetime.fromisoformat(values[place])
    return layout.made(sis_id, *values, _STATES[state], Origin(_SOURCES[source], term, lineage))
