"""Canvas objects and changes as text in the store, and back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from rosterflow.domain.model import FIELDS, TYPES, CanvasObject, Kind, Origin, SourceKind, State

DATES = frozenset({"start", "end"})


def body_of(thing: CanvasObject) -> str:
    """The compared fields of an object, without its id and state, as a JSON list in the order of ``FIELDS``."""
    return json.dumps(_values(thing), ensure_ascii=False)


def thing_of(
    kind: str, sis_id: str, state: str, body: str, source: str, term: str | None, lineage: str
) -> CanvasObject:
    """The object that the columns of ``canvas_object`` describe."""
    return _thing(kind, sis_id, state, json.loads(body), source, term, lineage)


def text_of(thing: CanvasObject) -> str:
    """A whole object as one JSON text, with its origin."""
    origin = thing.origin
    return json.dumps(
        [thing.kind, thing.sis_id, thing.state, _values(thing), origin.source, origin.term, origin.lineage],
        ensure_ascii=False,
    )


def from_text(text: str) -> CanvasObject:
    """The inverse of :func:`text_of`."""
    return _thing(*json.loads(text))


def _values(thing: CanvasObject) -> list[str | None]:
    values = (getattr(thing, name) for name in FIELDS[thing.kind])
    return [value.isoformat() if isinstance(value, datetime) else value for value in values]


def _thing(
    kind: str, sis_id: str, state: str, values: list[Any], source: str, term: str | None, lineage: str
) -> CanvasObject:
    names = FIELDS[Kind(kind)]
    named = dict(zip(names, values, strict=True))
    for name in DATES.intersection(names):
        named[name] = datetime.fromisoformat(named[name]) if named[name] else None
    return TYPES[Kind(kind)](
        sis_id=sis_id, state=State(state), origin=Origin(SourceKind(source), term, lineage), **named
    )
