"""What the rules say of an entry when its turn comes, and what stands in the way of what."""

from __future__ import annotations

from collections.abc import Mapping

from rosterflow.domain.coursekey.queue import Entry, EntryKind, EntryState, Intent
from rosterflow.store.coursekey_maps import MapKey, MapKind
from rosterflow.store.queue import Request
from rosterflow.sync.coursekey_desk import Desk
from rosterflow.sync.coursekey_steps import IS_STAFF
from rosterflow.sync.queueing import Judge


def judged(judge: Judge, desk: Desk, entry: Entry) -> Request:
    """What the rules say of an entry now."""
    entity = entry.entity
    kind, section = _MAP_KINDS[entity.kind], entity.section_key
    schools = {pair.school for pair in desk.college.crskeyauth}
    there = any(MapKey(kind, school, section, entity.person) in desk.maps for school in schools)
    return judge.request(entity, entry.intent, forced=entry.forced, asked_by=entry.asked_by, is_there=there)


_MAP_KINDS: Mapping[EntryKind, MapKind] = {
    EntryKind.USER: MapKind.USER,
    EntryKind.COURSE: MapKind.COURSE,
    EntryKind.STAFF: MapKind.STAFF,
    EntryKind.SESSIONS: MapKind.COURSE,
    EntryKind.ENROLLMENT: MapKind.ENROLLMENT,
}


def is_to_be_asked(entry: Entry, request: Request) -> bool:
    """Whether an entry that is there must be queued anew to be taken; one that somebody works on must not."""
    if entry.state in (EntryState.PENDING, EntryState.DEFERRED):
        return request.forced and not entry.forced
    return entry.state is not EntryState.PROCESSING


def hindered(entry: Entry) -> str:
    """The rule by which others failed for want of what was sent now, or because of what was removed."""
    if entry.entity.kind in (EntryKind.USER, EntryKind.COURSE):
        return needs(entry.entity.kind)
    return IS_STAFF if entry.intent is Intent.REMOVE and entry.entity.kind is EntryKind.STAFF else ""


def needs(kind: EntryKind) -> str:
    """The rule of an entry that failed because something that it needs did."""
    return f"needs-{kind}"
