"""Laws of the mapping of people that hold whatever FS holds, however awkward (FS reference §13.9)."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.people import (
    EmneRett,
    EvuDeltaker,
    KlasseMedlem,
    PeopleRow,
    ProgramRett,
    Rolle,
    UnknownPerson,
)
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.rules import RULES
from rosterflow.domain.model import Kind, SourceKind
from rosterflow.domain.rosters import Member, Roster, WantedRoster
from rosterflow.domain.snapshot import Snapshot
from tests.domain.fs_builders import H26, V27, institution
from tests.domain.people_builders import (
    B_INF,
    FACULTY,
    G1,
    G2,
    HAV,
    INF_H26,
    KLASSE,
    KLASSE_A,
    KULL,
    KULL_H26,
    LED1,
    STUDENT,
    TEACHER,
    TODAY,
    UA1,
    enrolled,
    explained,
    in_klasse,
    in_section,
    member,
    people,
    person,
    right,
    role,
    source,
    studies,
    takes_part,
    user,
)

LAW = settings(deadline=None)  # laws say nothing about time
NUMBERS = ["1", "2", "3", "4"]
NUMBER = st.sampled_from(NUMBERS)
FLAG = st.sampled_from([True, True, True, False, None])
LOGINS = st.sampled_from([None, None, "p1@fjord.example", "P1@fjord.example", "p2@fjord.example", "a,b"])
DAYS = st.sampled_from([None, None, TODAY.replace(month=8), TODAY, TODAY.replace(month=10)])

PERSONS = st.builds(
    person, NUMBER, LOGINS, er_dod=st.sampled_from([False, False, True]), kan_overfores=FLAG,
)  # fmt: skip
RIGHTS = st.builds(
    lambda number, parties, flag: right(number, partier=parties, kan_overfores=flag),
    NUMBER, st.sampled_from([(), ("G1",), ("G1", "G2"), ("borte",), None]), FLAG,
)  # fmt: skip
ROLES = st.builds(
    role, NUMBER, st.sampled_from([INF_H26, INF_H26.emne, G1, G2, B_INF, KULL_H26, KLASSE_A, LED1, HAV]),
    st.sampled_from(["LÆRER", "ADMIN", "UKJENT"]), st.sampled_from(["INSTRUCTOR", "LEARNER", "MENTOR", None]),
    fra=DAYS, til=DAYS, er_aktiv=FLAG, er_fagperson=FLAG, kan_overfores=FLAG,
)  # fmt: skip
OTHERS = st.one_of(
    st.builds(studies, NUMBER, st.sampled_from([KULL_H26, None]), gir_aktiv_studierett=FLAG, kan_overfores=FLAG),
    st.builds(in_klasse, NUMBER, kan_overfores=FLAG),
    st.builds(takes_part, NUMBER, kan_overfores=FLAG),
)
UNKNOWN = st.builds(
    UnknownPerson, st.sampled_from([SourceKind.EMNESTUDIERETT, SourceKind.PERSONROLLE]), st.sampled_from([INF_H26])
)
ROWS = st.lists(st.one_of(PERSONS, PERSONS, RIGHTS, RIGHTS, ROLES, ROLES, OTHERS, UNKNOWN), max_size=30)
INSTITUTIONS = st.sampled_from(
    [
        institution(people={"account_roles": {"ADMIN": "AccountAdmin"}, "users": users, **gate})
        for users in ({}, {"reserved": "leave", "owns": []}, {"provision": False}, {"sis_id": "feide_bruker"})
        for gate in ({}, {"requires_semester_registration": True, "emne_roles": "account"})
    ]
)
ROWS_OF_USERS = [
    member("1"),
    member("2", login="P2@fjord.example", state="suspended"),
    member("9"),
    member("8", state="deleted"),
]
USERS = st.permutations(ROWS_OF_USERS).flatmap(
    lambda rows: st.sets(NUMBER, max_size=3).map(
        lambda numbers: {user(number): row for number, row in zip(sorted(numbers), rows, strict=False)}
    )
)
"""What Canvas confirmed of some users; no two of them have one login."""
REGISTERED = {H26: frozenset({"1", "2"}), V27: frozenset({"3"})}
CONFIRMED = [
    in_section(*NUMBERS),
    in_section(*NUMBERS, role=TEACHER),
    in_section(*NUMBERS, sis_id=UA1),
    enrolled(Kind.COURSE, KULL, STUDENT, *NUMBERS),
    enrolled(Kind.SECTION, KLASSE, STUDENT, *NUMBERS),
    enrolled(Kind.ACCOUNT, FACULTY, "AccountAdmin", *NUMBERS),
]


def shot_of(rows: list[PeopleRow | RowProblem], inst: Institution, users: dict[str, Member] | None = None) -> Snapshot:
    return people(read=source(*rows, registered=REGISTERED), inst=inst, users=users, confirmed=CONFIRMED)


def may_leave(found: WantedRoster | None, known: Roster) -> set[str]:
    """The people of a confirmed roster whom a snapshot would let go."""
    if found is None:
        return set(known.members)
    return set() if found.has_unknown else known.members.keys() - found.roster.members.keys() - found.staying


@LAW
@given(ROWS, INSTITUTIONS, USERS, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(
    rows: list[PeopleRow], inst: Institution, users: dict[str, Member], chance: random.Random
) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)

    assert shot_of([*mixed], inst, users) == shot_of([*rows], inst, users)


@LAW
@given(ROWS, INSTITUTIONS, USERS)
def test_rows_that_arrive_twice_never_matter(
    rows: list[PeopleRow], inst: Institution, users: dict[str, Member]
) -> None:
    twice, once = shot_of([*rows, *rows], inst, users), shot_of([*rows], inst, users)

    assert replace(twice, rows_read={}) == replace(once, rows_read={})


@LAW
@given(ROWS, INSTITUTIONS, USERS, st.data())
def test_a_row_whose_person_is_null_never_lets_anybody_go(
    rows: list[PeopleRow], inst: Institution, users: dict[str, Member], data: st.DataObject
) -> None:
    """Somebody's access was lost between two reads: each of their rows names nobody then."""
    theirs = [row for row in rows if isinstance(row, EmneRett | Rolle)]
    assume(theirs)
    lost = data.draw(st.sampled_from(theirs))
    place = lost.ue if isinstance(lost, EmneRett) else lost.place
    code = lost.fs_rolle if isinstance(lost, Rolle) else None
    nulled = [UnknownPerson(lost.source, place, code) if row is lost else row for row in rows]

    before, after = shot_of([*rows], inst, users), shot_of([*nulled], inst, users)

    for known in CONFIRMED:
        found = (shot.rosters.get(known.whole) for shot in (after, before))
        now, then = (may_leave(one, known) for one in found)
        assert now <= then


@LAW
@given(ROWS, INSTITUTIONS, USERS)
def test_whoever_is_wanted_in_a_roster_is_a_wanted_user(
    rows: list[PeopleRow], inst: Institution, users: dict[str, Member]
) -> None:
    shot = shot_of([*rows], inst, users)

    by_kind: dict[bool, set[str]] = {True: set(), False: set()}
    for key, one in shot.rosters.items():
        by_kind[key.kind is Kind.USER] |= one.roster.members.keys()
    assert not inst.people.users.provision or by_kind[False] <= by_kind[True]


@LAW
@given(ROWS, INSTITUTIONS, USERS)
def test_no_two_wanted_users_have_one_login_and_none_has_one_of_a_user_who_stays(
    rows: list[PeopleRow], inst: Institution, users: dict[str, Member]
) -> None:
    shot = shot_of([*rows], inst, users)

    shelves = [one for key, one in shot.rosters.items() if key.kind is Kind.USER]
    wanted = [row[0].lower() for one in shelves for row in one.roster.members.values()]
    kept = [users[who] for one in shelves for who in (*one.staying, *one.leaving)]
    standing = [row[0].lower() for row in kept if row[-1] != "deleted"]
    assert len({*wanted, *standing}) == len(wanted) + len(standing)


@LAW
@given(ROWS, INSTITUTIONS, USERS)
def test_nobody_is_wanted_and_leaving_and_staying_at_once(
    rows: list[PeopleRow], inst: Institution, users: dict[str, Member]
) -> None:
    for one in shot_of([*rows], inst, users).rosters.values():
        members, leaving, staying = one.roster.members.keys(), one.leaving.keys(), one.staying
        assert not members & leaving
        assert not members & staying
        assert not leaving & staying


@LAW
@given(ROWS, INSTITUTIONS, USERS)
def test_every_decision_is_by_a_rule_with_a_sentence_and_named_once(
    rows: list[PeopleRow], inst: Institution, users: dict[str, Member]
) -> None:
    shot = shot_of([*rows], inst, users)

    assert {one.rule for one in shot.decisions} <= RULES.keys()
    named = [(one.source, one.subject, one.rule) for one in shot.decisions]
    assert len(named) == len(set(named))


@LAW
@given(ROWS, INSTITUTIONS, USERS, NUMBER)
def test_what_is_explained_is_what_is_done(
    rows: list[PeopleRow], inst: Institution, users: dict[str, Member], number: str
) -> None:
    shot = shot_of([*rows], inst, users)

    steps = explained(number, *rows, inst=inst, users=users, confirmed=CONFIRMED, registered=REGISTERED)

    where = {
        one.roster.place
        for key, one in shot.rosters.items()
        if key.kind is not Kind.USER and inst.people.users.sis_id == "personlopenummer"
        for who in one.roster.members
        if who == user(number)
    }
    led = {step.place for step in steps if step.place}
    assert where == led or inst.people.users.sis_id == "feide_bruker"
    assert {step.rule for step in steps} <= RULES.keys()


@LAW
@given(ROWS, INSTITUTIONS)
def test_a_read_with_a_hole_is_never_complete(rows: list[PeopleRow], inst: Institution) -> None:
    hole = RowProblem(Code.NULL_NODE, SourceKind.PERSONROLLE, "", "emneroller[0]", "A row of kind personrolle is null.")

    assert not shot_of([*rows, hole], inst).is_complete


def test_the_rows_of_these_laws_have_every_kind_of_participation() -> None:
    kinds = (EmneRett, ProgramRett, KlasseMedlem, EvuDeltaker, Rolle)
    rows = right("1"), studies("1"), in_klasse("1"), takes_part("1"), role("1")

    assert tuple(map(type, rows)) == kinds
