"""Does a college hold together with what is outside: Campus Cafe, CourseKey under each auth key, and its own sections.

Reference coursekey §4.2: the owner is a user under each key, attendance names are known there, names are distinct.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rosterflow.domain.coursekey.campus import Resource, Section
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.formats import same_names
from rosterflow.domain.coursekey.parameters import CATALOG
from rosterflow.domain.coursekey.sites import Pair
from rosterflow.domain.errors import RosterflowError
from rosterflow.hooks.campus_cafe import CampusCafeHook
from rosterflow.hooks.campus_cafe_folder import CampusCafeFolder
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.store import campus as mirror
from rosterflow.store.campus import StoredCampus
from rosterflow.store.engine import Store
from rosterflow.sync.checking import Finding, bad


def check_college(store: Store, college: College) -> Iterator[Finding]:
    """Ask Campus Cafe, CourseKey and the mirror; one failing never hides another."""
    yield _check_campus_cafe(college)
    pairs_of: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in college.crskeyauth:
        pairs_of[pair.connection].append(pair)
    for connection, pairs in pairs_of.items():
        yield from _check_key(college, connection, pairs)
    yield _check_names(store, college)


def _check_campus_cafe(college: College) -> Finding:
    subject, folder = f"{college.key}: Campus Cafe", college.campus_cafe.folder
    try:
        if folder is None:
            return Finding(subject, *CampusCafeHook(college.campus_cafe.connection or "").test_connection())
        found = CampusCafeFolder(Path(folder)).read(Resource.SEMESTERS, modified_since=None, semesters=())
    except RosterflowError as error:
        return bad(subject, error)
    return Finding(subject, True, f"The folder is there; it has {len(found.records)} semesters.")


def _check_key(college: College, connection: str, pairs: Sequence[Pair]) -> Iterator[Finding]:
    """What is asked under one auth key: the owner and the attendance names of each of its schools."""
    hook = CourseKeyHook(connection, base_url=college.coursekey.base_url)
    try:
        hook.settings()  # Airflow looks a connection up synchronously, so not inside the event loop
        for pair, problems in asyncio.run(_asked(college, hook, pairs)).items():
            told = " ".join(problems) or "The owner is a user, and every attendance name is known."
            yield Finding(f"{college.key}: auth key {pair}", not problems, told)
    except RosterflowError as error:
        yield bad(f"{college.key}: auth key {pairs[0].alias}", error)


async def _asked(college: College, hook: CourseKeyHook, pairs: Sequence[Pair]) -> Mapping[str, list[str]]:
    """What is wrong at each school, by the pair's alias."""
    wanted = {name for code in college.rgencd if (name := college.attendance_name_of(code))}
    found: dict[str, list[str]] = {}
    async with hook:
        for pair in pairs:
            problems = found.setdefault(pair.alias, [])
            if await hook.find_user(pair.school, email=college.coursekey.course_owner) is None:
                problems.append(f"COURSEKEY_COURSE_OWNER is no user of the school {pair.school}.")
            names = await hook.attendance_names(pair.school)
            if names and len(names) > 1 and (unknown := sorted(wanted - set(names))):
                problems.append(f"The school {pair.school} has no attendance name {', '.join(unknown)}.")
    return found


def _check_names(store: Store, college: College) -> Finding:
    """Whether the name format tells the sections of each school apart, as Campus Cafe was read last."""
    with store.begin() as connection:
        campus = StoredCampus(connection, college.key)
        semesters = {one.code: one for one in campus.semesters() if _is_sent(college, one.code)}
        keys = [key for code in semesters for key in mirror.sections_of(connection, college.key, code)]
        sections = [section for key in keys if (section := campus.section(key)) and _is_wanted(college, section)]
    shared = same_names(college, sections, semesters)
    told = [f"{name!r} is the name of {' and '.join(map(str, keys))}." for name, keys in sorted(shared.items())]
    good = f"COURSEKEY_COURSE_NAME_FORMAT gives {len(sections)} sections distinct names."
    return Finding(f"{college.key}: course names", not told, "\n".join(told) or good)


def _is_sent(college: College, semester: str) -> bool:
    return semester != CATALOG and semester >= college.coursekey.cutover_semester


def _is_wanted(college: College, section: Section) -> bool:
    is_excluded = section.is_excluded and college.coursekey.use_lms_exclude_flag
    return not (is_excluded or section.is_cancelled)
