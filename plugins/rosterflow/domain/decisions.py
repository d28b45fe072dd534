"""Why an object of the source was, or was not, sent: what `explain` shows is what the mapping itself returned."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from rosterflow.domain.errors import REMEDIES, Code
from rosterflow.domain.model import Key, SourceKind


class Decision(msgspec.Struct, frozen=True):
    """One rule's verdict on one row of the source.

    :param source: the kind of row.
    :param subject: the row's natural key in the source's own words (``INF-1100 1 2026 HØST 1``).
    :param allowed: whether the row may become an object in Canvas.
    :param rule: the rule's id, stable over time (``ue-not-exported``).
    :param facts: the facts it was decided on, as name and value.
    :param key: the Canvas object it is about, when the row has one.
    """

    source: SourceKind
    subject: str
    allowed: bool
    rule: str
    facts: tuple[tuple[str, str], ...] = ()
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that could not be used; the rest went on. It stays visible until its cause is gone.

    :param code: what is wrong.
    :param source: the kind of row.
    :param subject: the row's natural key, as far as it has one.
    :param field: the field at fault, ``""`` when it is the whole row.
    :param message: one sentence for a person.
    """

    code: Code
    source: SourceKind
    subject: str
    field: str
    message: str

    @property
    def remedy(self) -> str:
        """One sentence: what a person does about it."""
        return REMEDIES[self.code]
