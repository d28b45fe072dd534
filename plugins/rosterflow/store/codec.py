"""Canvas objects and changes as text in the store, and back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from rosterflow.domain.model import FIELDS, TYPES, CanvasObject, Kind, Origin, SourceKind, State

DATES = frozenset({"start", "end"})


def body_of(thing: CanvasObject) -> str:
    """The compared fields of an object, without its id and state, as a JSON list in the order of ``FIELDS``."""
    values = (getattr(thing, name) for name in FIELDS[thing.kind])
    return json.dumps([v.isoformat() if isinstance(v, datetime) else v for v in values], ensure_ascii=False)


def thing_of(
    kind: str, sis_id: str, state: str, body: str, source: str, term: str | None, lineage: str
) -> CanvasObject:
    """The object that the columns of ``canvas_object`` describe."""
    names = FIELDS[Kind(kind)]
    values: dict[str, Any] = dict(zip(names, json.loads(body), strict=True))
    for name in DATES.intersection(names):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    return TYPES[Kind(kind)](
        sis_id=sis_id, state=State(state), origin=Origin(SourceKind(source), term, lineage), **values
    )


def text_of(thing: CanvasObject) -> str:
    """A whole object as one JSON text, with its origin."""
    origin = thing.origin
    return json.dumps(
        [thing.kind, thing.sis_id, thing.state, body_of(thing), origin.source, origin.term, origin.lineage],
        ensure_ascii=False,
    )


def from_text(text: str) -> CanvasObject:
    """The inverse of :func:`text_of`."""
    return thing_of(*json.loads(text))
