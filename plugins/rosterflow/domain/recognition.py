"""Which objects in Canvas are ours: recognising our own SIS ids when the base is taken from Canvas (design §2).

The ids are made in :mod:`rosterflow.domain.naming`; codes enter them literally, so an emnekode with an underscore makes
an id that cannot be taken apart with certainty. What is read from an id here is therefore only what the diff needs: the
kind of row, and for version bumps nothing at all.
"""

from __future__ import annotations

import re

from rosterflow.domain.model import Account, CanvasObject, Course, Kind, Origin, Section, SourceKind, Term

PREFIXES: dict[str, tuple[SourceKind, frozenset[Kind]]] = {
    "EMNE": (SourceKind.EMNE, frozenset({Kind.ACCOUNT})),
    "STUDIEPROGRAM": (SourceKind.STUDIEPROGRAM, frozenset({Kind.ACCOUNT, Kind.COURSE, Kind.SECTION})),
    "UE": (SourceKind.UNDERVISNINGSENHET, frozenset({Kind.COURSE, Kind.SECTION})),
    "UA": (SourceKind.UNDERVISNINGSAKTIVITET, frozenset({Kind.COURSE, Kind.SECTION})),
    "KULL": (SourceKind.KULL, frozenset({Kind.COURSE, Kind.SECTION})),
    "KLASSE": (SourceKind.KLASSE, frozenset({Kind.COURSE, Kind.SECTION})),
    "EVU": (SourceKind.EVU_KURS, frozenset({Kind.COURSE, Kind.SECTION})),
}
TERM_ID = re.compile(r"\d{4}_(HØST|VÅR|SOM)")
TERM_IN_ID = re.compile(r"_(\d{4}_(?:HØST|VÅR|SOM))_")


def origin_of(number: str, thing: CanvasObject) -> Origin | None:
    """The kind of row that an object of Canvas stands for, told from its SIS id.

    :param number: the institution's number, unpadded.
    :returns: ``None`` when the id is none of ours: the object is somebody else's and never touched.
    """
    if isinstance(thing, Term):
        return Origin(SourceKind.TERMIN, thing.sis_id) if TERM_ID.fullmatch(thing.sis_id) else None
    prefix, _, rest = thing.sis_id.partition("_")
    if isinstance(thing, Account) and prefix == number and re.fullmatch(r"\d+_\d+_\d+", rest):
        return Origin(SourceKind.ORGANISASJONSENHET)
    source, kinds = PREFIXES.get(prefix, (None, frozenset[Kind]()))
    if source is None or thing.kind not in kinds or not rest.startswith(f"{number}_"):
        return None
    return Origin(source, _term_of(thing, source))


def _term_of(thing: CanvasObject, source: SourceKind) -> str | None:
    if source not in (SourceKind.UNDERVISNINGSENHET, SourceKind.UNDERVISNINGSAKTIVITET):
        return None
    match thing:
        case Course(term=str() as term):
            return term
        case Course() | Section():
            found = TERM_IN_ID.search(thing.sis_id)
            return found[1] if found else None
    return None
