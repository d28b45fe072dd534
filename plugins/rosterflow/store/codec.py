"""Canvas objects and rosters as JSON texts in the store, and back."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rosterflow.domain.model import TYPES, CanvasObject, Kind, Origin
from rosterflow.domain.rosters import STANDINGS, Member, Place, Roster, Thing
from rosterflow.store.person_keys import are_numbered
from rosterflow.store.sealing import NO_SEAL, Seal

PEOPLE = frozenset({Kind.USER, Kind.ENROLLMENT, Kind.ADMIN})
"""Kinds of roster."""

_encoded = msgspec.json.Encoder().encode
_DECODERS = {str(kind): msgspec.json.Decoder(made) for kind, made in TYPES.items()}
_KINDS = {str(kind): kind for kind in Kind}


class _Outline(msgspec.Struct, omit_defaults=True):
    """What is written of a roster beside its people."""

    role: str
    origin: Origin
    place: tuple[str, str] | None = None


class _RosterText(_Outline, omit_defaults=True):
    """How a roster is written.

    :param people: users by their state; of users themselves nothing.
    :param sealed: users' own data, or all of a roster in which somebody's SIS id may be personal.
    """

    people: dict[str, list[str]] = {}
    sealed: str = ""
    owned: dict[str, list[str]] = {}
    part: str = ""
    ids: dict[str, str] = {}


class _Seal(msgspec.Struct):
    """Whether anything is sealed."""

    sealed: str = ""


class _Sealed(msgspec.Struct, omit_defaults=True):
    """What is sealed of a roster."""

    users: dict[str, tuple[str, ...]] = {}
    people: dict[str, list[str]] = {}
    owned: dict[str, list[str]] = {}
    ids: dict[str, str] = {}


_seal_of = msgspec.json.Decoder(_Seal).decode
_outline = msgspec.json.Decoder(_Outline).decode
_roster_text = msgspec.json.Decoder(_RosterText).decode
_unsealed = msgspec.json.Decoder(_Sealed).decode


def text_of(thing: Thing, seal: Seal = NO_SEAL, *, with_part: bool = True) -> str:
    """A whole object, its origin too, by the names of its fields; its kind is kept beside it. Users are sealed.

    :param with_part: whether it says of a roster of which part it is.
    """
    if not isinstance(thing, Roster):
        return _encoded(thing).decode()
    is_user = thing.kind is Kind.USER
    owned = {user: sorted(names) for user, names in thing.owned.items()}
    inside = _Sealed(
        dict(thing.members) if is_user else {}, {} if is_user else _by_state(thing.members), owned, dict(thing.ids)
    )
    place = (str(thing.place.kind), thing.place.sis_id) if thing.place else None
    written = _RosterText(thing.role, thing.origin, place, part=thing.part if with_part else "")
    if is_user or not are_numbered(thing.members):
        written.sealed = seal.close(_encoded(inside))
    else:
        written.people, written.owned, written.ids = inside.people, inside.owned, inside.ids
    return _encoded(written).decode()


def thing_from_text(kind: str, text: str, seal: Seal, part: str = "") -> Thing:
    """The inverse of :func:`text_of`.

    :param part: of a roster, where its text does not say it.
    :raises msgspec.ValidationError: when the text is nothing of that kind.
    :raises FatalError: ``page-key-invalid`` when it is sealed with a key that is none of ours.
    """
    return roster_from_text(kind, text, seal, part) if kind in PEOPLE else from_text(kind, text)


def from_text(kind: str, text: str) -> CanvasObject:
    """The inverse of :func:`text_of` for objects.

    :raises msgspec.ValidationError: when the text is no object of that kind.
    """
    return _DECODERS[kind].decode(text)


def roster_from_text(kind: str, text: str, seal: Seal, part: str = "") -> Roster:
    """The inverse of :func:`text_of` for rosters; raises as :func:`thing_from_text` does."""
    written = _roster_text(text)
    inside = _unsealed(seal.open(written.sealed)) if written.sealed else written
    members: dict[str, Member] = inside.users if isinstance(inside, _Sealed) else {}
    for state, users in inside.people.items():
        alike = dict.fromkeys(users, STANDINGS[state])
        members = {**members, **alike} if members else alike
    owned = {user: frozenset(names) for user, names in inside.owned.items()}
    return Roster(
        _KINDS[kind], _place(written), written.role, members, owned, written.origin, written.part or part, inside.ids
    )


def is_sealed(text: str) -> bool:
    """Whether the people of a roster, as :func:`text_of` wrote it, are sealed; if not, they are numbered.

    :raises msgspec.ValidationError: when the text is no roster.
    """
    return bool(_seal_of(text).sealed)


def outline_from_text(kind: str, text: str) -> Roster:
    """A roster as :func:`text_of` wrote it, without its people; nothing that is sealed is opened.

    :raises msgspec.ValidationError: when the text is no roster.
    """
    written = _outline(text)
    return Roster(_KINDS[kind], _place(written), written.role, {}, origin=written.origin)


def _place(written: _Outline) -> Place | None:
    return Place(_KINDS[written.place[0]], written.place[1]) if written.place else None


def _by_state(members: Mapping[str, Member]) -> dict[str, list[str]]:
    alike = {*members.values()}
    if len(alike) == 1:
        return {alike.pop()[-1]: list(members)}
    found: dict[str, list[str]] = {}
    for user, member in members.items():
        found.setdefault(member[-1], []).append(user)
    return found
