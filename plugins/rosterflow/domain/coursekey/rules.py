"""The rules of the queue: whether, and when, CourseKey is told of an entity (reference coursekey §4 and §4.1).

The collector asks them when something changed, the drain asks them again before it sends, and ``explain`` shows the
same answer. They are asked in the order of :data:`RULES`; the first with an answer decides. What is not to be sent at
all comes before the windows, and the windows before what a person must mend: a section of last year is nobody's trouble
any more, and one of next year not yet. docs/coursekey-rules.md lists them with the parameters that steer them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from rosterflow.domain.coursekey.campus import WEEKDAYS, Standing
from rosterflow.domain.coursekey.case import Case, fail, say, skip
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.formats import attendance_name, course_name, course_title, uses_description
from rosterflow.domain.coursekey.parameters import CATALOG
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Intent, Verdict
from rosterflow.domain.coursekey.view import Campus


def verdict(
    entity: Entity,
    intent: Intent,
    college: College,
    campus: Campus,
    today: date,
    *,
    forced: bool = False,
    is_there: bool = False,
) -> Verdict:
    """What is to become of one entity now.

    :param today: the day in the zone of the section's site (:meth:`College.zone_of`).
    :param forced: whether a person asked for it: it does not wait for its window to open, and it does not matter when
        the student registered. Everything else holds.
    :param is_there: whether CourseKey has it from us already: an update does not wait for a window either.
    """
    case = Case(entity, college, campus, today, forced, is_there)
    for rule in RULES[entity.kind, intent]:
        if found := rule(case):
            return found
    window = case.window
    if intent is Intent.UPSERT and forced and window and window.is_shut(today):
        return say(EntryState.PENDING, "asked-for", f"Asked for by a person; its window opens on {window.opens}.")
    return say(EntryState.PENDING, "due", "It is to be sent.")


Rule = Callable[[Case], Verdict | None]


# -- what is never sent ------------------------------------------------------------------------------------------------


def users_stay(_: Case) -> Verdict:
    """The source document removes no user."""
    return skip("users-stay", "A user is never removed from CourseKey.")


def courses_stay(_: Case) -> Verdict:
    """The source document removes no course."""
    return skip("courses-stay", "A course, with its sessions, is never removed from CourseKey; archive it there.")


# -- the semester and the section --------------------------------------------------------------------------------------


def catalog(case: Case) -> Verdict | None:
    """The catalog semester is a semester like any other to Campus Cafe, and never taught."""
    if case.entity.semester != CATALOG:
        return None
    return skip("catalog", f"{CATALOG} is the catalog semester.")


def semester_code(case: Case) -> Verdict | None:
    """Codes of another length cannot be compared: 20210 is after 202010 as text and before it as number."""
    if re.fullmatch(r"\d{6}", case.entity.semester, re.ASCII):
        return None
    reason = "The semester's code has not six digits, so it cannot be compared with the cutover's; correct it."
    return fail("semester-code", reason, ("semester", case.entity.semester))


def cutover(case: Case) -> Verdict | None:
    """COURSEKEY_CUTOVER_SEMESTER."""
    first = case.college.coursekey.cutover_semester
    if int(case.entity.semester) >= int(first):
        return None
    facts = (("semester", case.entity.semester), ("COURSEKEY_CUTOVER_SEMESTER", first))
    return skip("cutover", "The semester is before the cutover semester.", *facts)


def section_unknown(case: Case) -> Verdict | None:
    """Nothing can be sent of a section that Campus Cafe does not have."""
    return None if case.section else skip("section-unknown", "Campus Cafe has no such section.")


def excluded(case: Case) -> Verdict | None:
    """COURSEKEY_USE_LMS_EXCLUDE_FLAG; what was sent before the box was ticked stays."""
    if not (case.section and case.section.is_excluded and case.college.coursekey.use_lms_exclude_flag):
        return None
    return skip("excluded", "The section is marked Exclude from LMS.", ("COURSEKEY_USE_LMS_EXCLUDE_FLAG", "Y"))


def cancelled(case: Case) -> Verdict | None:
    """A cancelled section is not set up, and nobody is added to it."""
    return skip("cancelled", "The section is cancelled.") if case.section and case.section.is_cancelled else None


def site_not_integrated(case: Case) -> Verdict | None:
    """``not_integrated_sites``."""
    if case.site not in case.college.not_integrated_sites:
        return None
    return skip("site-not-integrated", "The course site is listed as not integrated.", ("site", case.site))


def no_session_sync(case: Case) -> Verdict | None:
    """COURSEKEY_NO_ATTENDANCE_SESSION_SYNC: flexible schedules make their own sessions."""
    name = attendance_name(case.college, case.section) if case.section else None
    if name not in case.college.coursekey.no_attendance_session_sync:
        return None
    return skip("no-session-sync", "Sessions of this attendance name are not sent.", ("attendance name", str(name)))


# -- students ----------------------------------------------------------------------------------------------------------


def not_registered(case: Case) -> Verdict | None:
    """Only who is registered now is enrolled."""
    standing = case.registration.standing if case.registration else None
    if standing is Standing.WAITLISTED:
        return skip("wait-listed", "The student is on the section's wait-list.")
    if standing is Standing.DROPPED:
        return skip("dropped", "The student has dropped the section.")
    return None if standing else skip("not-registered", "Campus Cafe has no such registration.")


def registered_again(case: Case) -> Verdict | None:
    """A drop that was taken back is not sent."""
    if case.registration is None or case.registration.standing is not Standing.REGISTERED:
        return None
    return skip("registered-again", "The student is registered in the section.")


# -- staff -------------------------------------------------------------------------------------------------------------


def not_teaching(case: Case) -> Verdict | None:
    """Admins of a course are its staff in Campus Cafe and those of COURSEKEY_COURSE_ADMINS."""
    if _is_admin(case) or (case.teaching and not case.teaching.is_removed):
        return None
    return skip("not-staff", "The person is not among the section's staff, nor in COURSEKEY_COURSE_ADMINS.")


def owner(case: Case) -> Verdict | None:
    """The owner is one already, and CourseKey lets nobody remove them; nor does a student get their account."""
    if case.person is None or case.person.email.strip().casefold() != case.college.coursekey.course_owner.casefold():
        return None
    return skip("owner", "The person is COURSEKEY_COURSE_OWNER, who is never added nor removed.")


def admin_by_setting(case: Case) -> Verdict | None:
    """COURSEKEY_COURSE_ADMINS."""
    if not _is_admin(case):
        return None
    return skip("admin-by-setting", "The person stays an admin: COURSEKEY_COURSE_ADMINS has them.")


def teaches_again(case: Case) -> Verdict | None:
    """A removal that was taken back is not sent."""
    if case.teaching is None or case.teaching.is_removed:
        return None
    return skip("teaches-again", "The person is among the section's staff.")


def add_only(case: Case) -> Verdict | None:
    """COURSEKEY_INSTRUCTOR_ADD_ONLY."""
    if not case.college.coursekey.instructor_add_only:
        return None
    return skip("add-only", "Instructors are only added.", ("COURSEKEY_INSTRUCTOR_ADD_ONLY", "Y"))


def student_not_admin(case: Case) -> Verdict | None:
    """Whatever Campus Cafe or the settings say: a student of a section never sees its grades as staff do."""
    if case.registration is None or case.registration.standing is Standing.DROPPED:
        return None
    reason = (
        "The person is a student of the section and so cannot be staff of it; take them out of the one or the other, "
        "or out of COURSEKEY_COURSE_ADMINS."
    )
    return fail("student-not-admin", reason, ("standing", str(case.registration.standing)))


def _is_admin(case: Case) -> bool:
    return case.entity.person in case.college.coursekey.course_admins


# -- windows -----------------------------------------------------------------------------------------------------------


def dates(case: Case) -> Verdict | None:
    """Without begin and end date there is no window, and CourseKey wants both."""
    if case.section is None:
        return None
    if case.section.first is None or case.section.last is None:
        return fail("dates-missing", "The section lacks its begin or end date; enter it in Campus Cafe.")
    if case.section.last < case.section.first:
        return fail("dates-reversed", "The section ends before it begins; correct its dates in Campus Cafe.")
    return None


def after_window(case: Case) -> Verdict | None:
    """COURSEKEY_ENROLLMENT_DAYS_ACTIVE_AFT_END; an end date that is moved opens it again."""
    if case.window is None or not case.window.has_closed(case.today):
        return None
    last = case.window.closes
    return skip("after-window", f"Nothing is sent after {last}.", ("window closed", str(last)))


def before_window(case: Case) -> Verdict | None:
    """The two …_DAYS_ACTIVE_BEF_BEGIN: what comes early waits, or with COURSEKEY_AUTO_QUEUE_ITEMS=N is left out."""
    window = case.window
    if window is None or case.forced or case.is_there:
        return None
    if case.college.coursekey.auto_queue_items:
        if not window.is_shut(case.today):
            return None
        reason = f"It waits until its window opens on {window.opens}."
        return say(EntryState.DEFERRED, "before-window", reason, opens_on=window.opens)
    if not window.is_shut(min(case.today, _asked_on(case))):
        return None
    reason = f"It came before its window opened on {window.opens}; queue it by hand to send it."
    return skip("before-window", reason, ("window opens", str(window.opens)), ("COURSEKEY_AUTO_QUEUE_ITEMS", "N"))


def _asked_on(case: Case) -> date:
    """The day on which the student registered, in the section's zone."""
    if case.entity.kind is not EntryKind.ENROLLMENT or not case.registration or not case.registration.registered_at:
        return case.today
    return case.registration.registered_at.astimezone(case.college.zone_of(case.site)).date()


# -- what a person must mend -------------------------------------------------------------------------------------------


def site(case: Case) -> Verdict | None:
    """Every section has a course site, and every site a school in CRSKEYAUTH."""
    if not case.site:
        if case.entity.kind is EntryKind.USER:
            return None
        return fail("site-missing", "The section has no course site; choose one in Campus Cafe.")
    if case.college.school_of(case.site):
        return None
    reason = (
        f"The site {case.site} has no CourseKey school; add a pair to CRSKEYAUTH, or the site to not_integrated_sites."
    )
    return fail("site-without-school", reason, ("site", case.site))


def attendance(case: Case) -> Verdict | None:
    """All sections must be associated with an attendance name, by Enrollment Code 4 and RGENCD."""
    code = case.section.attendance_code if case.section else ""
    if not code:
        reason = "The section has no attendance name; choose one in Enrollment Code 4 on its Codes tab."
        return fail("attendance-name-missing", reason)
    if case.college.attendance_name_of(code):
        return None
    reason = f"RGENCD has no description that begins with '4:' for the code {code}; add it, or choose another code."
    return fail("attendance-name-unknown", reason, ("Enrollment Code 4", code))


def hours(case: Case) -> Verdict | None:
    """Blended courses must have their hours; those with awarded time are taken to be blended."""
    section, college = case.section, case.college
    if section is None or attendance_name(college, section) not in college.coursekey.awarded_time_attendance_names:
        return None
    if section.lab_hours:
        return None
    reason = "The section's attendance name has awarded time, but its Lab Hours (asynchronous hours) are not entered."
    return fail("lab-hours-missing", reason)


def weekdays(case: Case) -> Verdict | None:
    """Days of the week have their English names, in CourseKey as in Campus Cafe."""
    unknown = [day for day in case.section.weekdays if day not in WEEKDAYS] if case.section else []
    if not unknown:
        return None
    reason = "One of the section's days is no day of the week; correct its days in Campus Cafe."
    return fail("weekday-unknown", reason, ("days", ", ".join(unknown)))


def times(case: Case) -> Verdict | None:
    """What meets on some days does so at a time; an internship has neither."""
    section = case.section
    if section is None or (section.starts and section.ends):
        return None
    if not (section.starts or section.ends or section.weekdays):
        return None
    return fail("times-missing", "The section has days or one time, but not both begin and end; enter them.")


def name(case: Case) -> Verdict | None:
    """The formats must have something to show."""
    section, college = case.section, case.college
    if section is None:
        return None
    semester = case.campus.semester(section.semester)
    formats = college.coursekey.course_name_format + college.coursekey.course_title_format
    if uses_description(formats) and not (semester and semester.description.strip()):
        return fail("semester-unknown", "The semester has no description, which the course's name or title shows.")
    if course_name(college, section, semester) and course_title(college, section, semester):
        return None
    return fail("name-empty", "The course's name or title would be empty; enter the section's title in Campus Cafe.")


def person(case: Case) -> Verdict | None:
    """CourseKey's accounts have a first and a last name, and an e-mail to log in with."""
    found = case.person
    if found is None:
        return fail("person-unknown", "Campus Cafe has no person with this ID, or it cannot be read; correct the ID.")
    if not (found.first_name.strip() and found.last_name.strip()):
        return fail("name-missing", "The person lacks a first or last name; enter it in Campus Cafe.")
    if not found.email.strip():
        return fail("email-missing", "The person has no e-mail; enter one in Campus Cafe.")
    if not re.fullmatch(r"[^@\s,;()<>]+@[^@\s,;()<>]+\.[^@\s,;()<>]+", found.email.strip()):
        return fail("email-invalid", "The person's e-mail is no address; correct it in Campus Cafe.")
    return None


# -- which are asked, in order -----------------------------------------------------------------------------------------

SEMESTER: tuple[Rule, ...] = (catalog, semester_code, cutover)
WANTED: tuple[Rule, ...] = (*SEMESTER, section_unknown, excluded, cancelled, site_not_integrated)
WINDOWS: tuple[Rule, ...] = (dates, after_window, before_window)
COMPLETE: tuple[Rule, ...] = (site, attendance, hours, weekdays, times, name)

RULES: Mapping[tuple[EntryKind, Intent], tuple[Rule, ...]] = {
    (EntryKind.USER, Intent.UPSERT): (site_not_integrated, site, person),
    (EntryKind.USER, Intent.REMOVE): (users_stay,),
    (EntryKind.COURSE, Intent.UPSERT): (*WANTED, *WINDOWS, *COMPLETE),
    (EntryKind.COURSE, Intent.REMOVE): (courses_stay,),
    (EntryKind.STAFF, Intent.UPSERT): (
        *WANTED,
        not_teaching,
        owner,
        *WINDOWS,
        *COMPLETE,
        student_not_admin,
        person,
    ),
    (EntryKind.STAFF, Intent.REMOVE): (
        *SEMESTER,
        excluded,
        site_not_integrated,
        owner,
        admin_by_setting,
        teaches_again,
        add_only,
        after_window,
    ),
    (EntryKind.SESSIONS, Intent.UPSERT): (*WANTED, no_session_sync, *WINDOWS, *COMPLETE),
    (EntryKind.SESSIONS, Intent.REMOVE): (courses_stay,),
    (EntryKind.ENROLLMENT, Intent.UPSERT): (*WANTED, not_registered, owner, *WINDOWS, *COMPLETE, person),
    (EntryKind.ENROLLMENT, Intent.REMOVE): (
        *SEMESTER,
        excluded,
        site_not_integrated,
        registered_again,
        after_window,
    ),
}
"""What is asked about each kind of entity and intent, in order; when none answers it is sent."""
