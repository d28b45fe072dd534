"""How each kind of entry is sent: state, never a change; looked up before it is made; the same again is not sent.

Who is about to be put on a course's staff is written down before, so that who is found there after a crash is known to
be ours and may be taken off again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec

from rosterflow.domain.coursekey.payloads import fingerprint, session_data
from rosterflow.domain.coursekey.port import UnknownOutcome
from rosterflow.domain.coursekey.queue import Entity, Entry, EntryKind, EntryState, Intent
from rosterflow.domain.coursekey.remote import Course, CourseData, User, UserData
from rosterflow.domain.errors import Code, RowError
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.hooks.coursekey_answers import Refusal
from rosterflow.store.coursekey_maps import MapKey, MapKind, Mapped
from rosterflow.sync.coursekey_desk import UNCHANGED, Blocked, Desk, Place, Sent
from rosterflow.wire.coursekey_profile import Operation, Problem

Step = Callable[[Desk, Place, Entry], Awaitable[Sent]]

CREATED = "created"
UPDATED = "updated"
ADOPTED = "adopted"
SENT = "sent"
REMOVED = "removed"
NOT_OURS = "not-ours"
NOT_THERE = "not-there"
NO_SESSIONS = Sent(UNCHANGED.rule, "The section has no sessions.")
IS_STAFF = "student-is-staff"
"""The rule by which a student is not enrolled who has an instructor's rights in the course."""


# -- users -------------------------------------------------------------------------------------------------------------


async def send_user(desk: Desk, at: Place, entry: Entry) -> Sent:
    """Make or bring up to date a person's account at a school.

    :raises RowError: ``account-taken`` when its e-mail address or ID is another's there.
    :raises Blocked: the first time, when the address is that of somebody who is about to have another.
    """
    try:
        return await _send_user(desk, at, entry)
    except Refusal as error:
        if error.problem is Problem.EMAIL_TAKEN and entry.attempts == 1:
            address = desk.user(entry.entity.person).email
            holder = await at.hook.find_user(at.school.school_id, email=address)
            if holder is None:  # they have given it up just now
                return await _send_user(desk, at, entry)
            if desk.gives_up(holder.issued_id, address):
                raise Blocked(Entity(EntryKind.USER, person=holder.issued_id, site=entry.entity.site)) from None
        raise


async def _send_user(desk: Desk, at: Place, entry: Entry) -> Sent:
    person, school = entry.entity.person, at.school.school_id
    data = desk.user(person)
    key = MapKey(MapKind.USER, school, person=person)
    known = desk.maps.get(key)
    now_known = Mapped(key, known.remote_id if known else "", fingerprint(data), private=data.email.encode())
    if known:
        if known.fingerprint == now_known.fingerprint and not entry.forced:
            return UNCHANGED
        await at.hook.update_user(school, known.remote_id, data)
        now_known = msgspec.structs.replace(now_known, created_by_us=known.created_by_us)
        return Sent(UPDATED, "The account was brought up to date.", known=(now_known,))
    user, rule = await _found_or_made_user(desk, at, key, data)
    ours = rule == CREATED or bool((other := desk.look_again(key)) and other.created_by_us)  # another drain's
    if rule == ADOPTED and _as_data(user) != data:
        await at.hook.update_user(school, user.id, data)
    now_known = msgspec.structs.replace(now_known, remote_id=user.id, created_by_us=ours)
    words = "The account was made." if rule == CREATED else "The account was there already and is used."
    return Sent(rule, words, known=(now_known,))


async def _found_or_made_user(desk: Desk, at: Place, key: MapKey, data: UserData) -> tuple[User, str]:
    school = at.school.school_id
    if found := await _find_user(at, data):
        return found, ADOPTED
    password = await desk.initial_password(data.issued_id)
    try:
        welcome = desk.college.coursekey.send_email_to_new_user
        return await at.hook.create_user(school, data, welcome=welcome, password=password), CREATED
    except (UnknownOutcome, Refusal) as error:
        taken = (Problem.EMAIL_TAKEN, Problem.ISSUED_ID_TAKEN)
        if isinstance(error, Refusal) and error.problem not in taken:
            raise
        if made := await _find_user(at, data):
            return made, CREATED
        raise


async def _find_user(at: Place, data: UserData) -> User | None:
    """The account with the person's ID, or with the address when it carries no other's ID.

    An account with nobody's ID was made by hand: a student never gets one with an instructor's rights.
    """
    school = at.school.school_id
    if found := await at.hook.find_user(school, issued_id=data.issued_id):
        return found
    found = await at.hook.find_user(school, email=data.email)
    if found is not None and found.issued_id not in ("", data.issued_id):
        words = f"The person's e-mail address is that of the account with the issued ID {found.issued_id}."
        raise Refusal(Problem.EMAIL_TAKEN, words)
    if found is not None and found.is_teacher and not data.is_teacher:
        words = "The person's e-mail address is that of an instructor's account, which a student does not get."
        raise Refusal(Problem.EMAIL_TAKEN, words)
    return found


def _as_data(user: User) -> UserData:
    return UserData(user.first_name, user.last_name, user.email, user.is_teacher, user.issued_id)


# -- courses -----------------------------------------------------------------------------------------------------------


async def send_course(desk: Desk, at: Place, entry: Entry) -> Sent:
    """Make or bring up to date a section's course.

    :raises RowError: ``site-changed``, ``course-name-taken``.
    :raises RetryableError: ``writer-busy`` while another drain makes a course of that name.
    """
    section = entry.entity.section_key
    assert section is not None
    key = MapKey(MapKind.COURSE, at.school.school_id, section)
    if elsewhere := desk.other_school(key):
        raise RowError(Code.SITE_CHANGED, f"The section moved from the school {elsewhere} to {key.school}.")
    data = desk.course_data(section)
    print_ = fingerprint(data)
    known = desk.maps.get(key)
    if known is None:
        async with desk.naming(at, data.name, entry.holder):
            known = desk.look_again(key)
            if known is None:
                course, rule = await _found_or_made_course(desk, at, key, data)
                made = Mapped(key, course.id, print_, rule == CREATED, course.join_code)
                desk.note(made)
                words = "The course was made." if rule == CREATED else "The course was there already and is used."
                return Sent(rule, words, known=(made,))
    if known.fingerprint == print_ and not entry.forced:
        return UNCHANGED
    await at.hook.update_course(at.school.school_id, known.remote_id, data)
    now_known = Mapped(key, known.remote_id, print_, known.created_by_us, known.join_code)
    return Sent(UPDATED, "The course was brought up to date.", known=(now_known,))


async def _found_or_made_course(desk: Desk, at: Place, key: MapKey, data: CourseData) -> tuple[Course, str]:
    school = at.school.school_id
    found = await at.hook.find_course(school, data.name)
    if found is None:
        try:
            owner = desk.college.coursekey.course_owner
            return await at.hook.create_course(school, data, owner=owner), CREATED
        except (UnknownOutcome, Refusal) as error:
            if isinstance(error, Refusal) and error.problem is not Problem.NAME_TAKEN:
                raise
            found = await at.hook.find_course(school, data.name)
            if found is None:
                raise
    whose = desk.owner_of(MapKind.COURSE, at.school, found.id)
    if whose not in (None, key):
        raise Refusal(Problem.NAME_TAKEN, f"The course of that name in the school is that of the section {whose}.")
    await at.hook.update_course(school, found.id, data)
    return found, ADOPTED


# -- staff -------------------------------------------------------------------------------------------------------------


async def add_staff(desk: Desk, at: Place, entry: Entry) -> Sent:
    """Give somebody an instructor's rights in a course; whoever had them already is not ours to remove."""
    entity, school = entry.entity, at.school.school_id
    course, account = desk.needed_course(at.school, entity), desk.needed_account(at.school, entity)
    key = MapKey(MapKind.STAFF, school, entity.section_key, entity.person)
    print_ = fingerprint(course.id, account.remote_id)
    known = desk.maps.get(key)
    if known and known.fingerprint == print_ and not entry.forced:
        return UNCHANGED
    there = {one.user_id for one in await at.hook.staff(school, course.id)}
    if account.remote_id in there and known is None:
        mapped = Mapped(key, account.remote_id, print_, created_by_us=False)
        return Sent(ADOPTED, "The person was on the course's staff already.", known=(mapped,))
    ours = known is None or known.created_by_us or account.remote_id not in there
    if account.remote_id not in there:
        desk.note(Mapped(key, account.remote_id))
        await at.hook.add_staff(school, course.id, account.private.decode())
    return Sent(SENT, "The person is on the course's staff.", known=(Mapped(key, account.remote_id, print_, ours),))


async def remove_staff(desk: Desk, at: Place, entry: Entry) -> Sent:
    """Take an instructor's rights away that we gave; never those of the owner or of people added there."""
    entity, school = entry.entity, at.school.school_id
    key = MapKey(MapKind.STAFF, school, entity.section_key, entity.person)
    known = desk.maps.get(key)
    if known is None or not known.created_by_us:
        return Sent(NOT_OURS, "The connector did not add this person.", EntryState.SKIPPED)
    course = desk.needed_course(at.school, entity)
    try:
        was_there = await at.hook.remove_staff(school, course.id, known.remote_id)
    except Refusal as error:
        if error.problem is not Problem.OWNER_PROTECTED:
            raise
        return Sent("owner", "The person owns the course and stays.", EntryState.SKIPPED)
    words = "The person was taken off the course's staff." if was_there else "The person was not on the staff any more."
    return Sent(REMOVED, words, forgotten=(key,))


# -- sessions ----------------------------------------------------------------------------------------------------------


async def send_sessions(desk: Desk, at: Place, entry: Entry) -> Sent:
    """Set a section's sessions, and cancel those of ours that are no more; what is past keeps its attendance."""
    section, school = entry.entity.section_key, at.school.school_id
    assert section is not None
    course = desk.needed_course(at.school, entry.entity)
    wanted = session_data(desk.college, desk.section(section))
    known = {
        key.slot: one
        for key, one in desk.maps.items()
        if key.kind is MapKind.SESSION and key.section == section and key.school == school
    }
    made: list[Mapped] = []
    try:
        for slot, data in wanted.items():
            print_ = fingerprint(course.id, data)
            if slot in known and known[slot].fingerprint == print_ and not entry.forced:
                continue
            there = await at.hook.set_session(school, course.id, data)
            made.append(Mapped(MapKey(MapKind.SESSION, school, section, slot=slot), there.id, print_))
    finally:
        desk.note(*made)
    over = [slot for slot in known.keys() - wanted.keys() if slot >= desk.today(section).isoformat()]
    for slot in over:
        await at.hook.cancel_session(school, course.id, known[slot].remote_id)
        desk.forget(known[slot].key)
    if not wanted and not over:
        return NO_SESSIONS
    return Sent(SENT, f"{len(made)} sessions set, {len(over)} cancelled.") if made or over else UNCHANGED


# -- enrollments -------------------------------------------------------------------------------------------------------


async def enroll(desk: Desk, at: Place, entry: Entry) -> Sent:
    """Enroll a student; never somebody who has an instructor's rights in the course, and so would keep them."""
    entity, school = entry.entity, at.school.school_id
    course, account = desk.needed_course(at.school, entity), desk.needed_account(at.school, entity)
    key = MapKey(MapKind.ENROLLMENT, school, entity.section_key, entity.person)
    print_ = fingerprint(course.id, account.remote_id)
    known = desk.maps.get(key)
    if known and known.fingerprint == print_ and not entry.forced:
        return UNCHANGED
    as_staff = MapKey(MapKind.STAFF, school, entity.section_key, entity.person)
    was_staff = as_staff in desk.maps
    if was_staff and account.remote_id in {one.user_id for one in await at.hook.staff(school, course.id)}:
        words = "The student is on the course's staff in CourseKey; take them off it there, then requeue."
        return Sent(IS_STAFF, words, EntryState.FAILED)
    await at.hook.enroll(school, course, account.private.decode())
    known = Mapped(key, account.remote_id, print_)
    return Sent(SENT, "The student is enrolled.", known=(known,), forgotten=(as_staff,) if was_staff else ())


async def drop(desk: Desk, at: Place, entry: Entry) -> Sent:
    """Drop a student, also when it is not known whether an enrollment arrived."""
    entity, school = entry.entity, at.school.school_id
    key = MapKey(MapKind.ENROLLMENT, school, entity.section_key, entity.person)
    account = desk.maps.get(MapKey(MapKind.USER, school, person=entity.person))
    course = desk.maps.get(MapKey(MapKind.COURSE, school, entity.section_key))
    if account is None or course is None:
        return Sent(NOT_THERE, "The student or the course was never in CourseKey.", EntryState.SKIPPED)
    where = Course(course.remote_id, "", "", course.join_code)
    was_there = await at.hook.drop(school, where, account.private.decode())
    words = "The student was dropped." if was_there else "The student was not enrolled any more."
    return Sent(REMOVED, words, forgotten=(key,))


STEPS: Mapping[tuple[EntryKind, Intent], Step] = {
    (EntryKind.USER, Intent.UPSERT): send_user,
    (EntryKind.COURSE, Intent.UPSERT): send_course,
    (EntryKind.STAFF, Intent.UPSERT): add_staff,
    (EntryKind.STAFF, Intent.REMOVE): remove_staff,
    (EntryKind.SESSIONS, Intent.UPSERT): send_sessions,
    (EntryKind.ENROLLMENT, Intent.UPSERT): enroll,
    (EntryKind.ENROLLMENT, Intent.REMOVE): drop,
}
"""Users, courses and sessions are never removed: the rules see to it."""

GATHERED: Mapping[tuple[EntryKind, Intent], Operation] = {
    (EntryKind.ENROLLMENT, Intent.UPSERT): Operation.ENROLL,
    (EntryKind.ENROLLMENT, Intent.REMOVE): Operation.DROP,
}
"""Of a section there are many of these, which may go out together where CourseKey takes many at once."""


def gathered(hooks: Iterable[CourseKeyHook]) -> set[tuple[EntryKind, Intent]]:
    """What goes out together."""
    some = list(hooks)
    return {what for what, operation in GATHERED.items() if any(hook.takes_many(operation) for hook in some)}


ORDER = (EntryKind.COURSE, EntryKind.STAFF, EntryKind.SESSIONS, EntryKind.ENROLLMENT)


def turn(entry: Entry) -> tuple[bool, int, int]:
    """Where an entry of a section comes: the course, its staff, its sessions, its students, and drops last of all."""
    return entry.intent is Intent.REMOVE, ORDER.index(entry.entity.kind), entry.id
