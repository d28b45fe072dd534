"""Laws of the mapping that hold whatever FS holds, however awkward (FS reference §13.9)."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import Row, UnreadableRow
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Account, Key, Kind, SourceKind, key_of, parents_of
from rosterflow.domain.snapshot import Scope, Snapshot
from rosterflow.domain.windows import Semester
from tests.domain.fs_builders import (
    H26,
    H27,
    HOME,
    V27,
    emne,
    evu,
    ids,
    institution,
    klasse,
    kull,
    program,
    snapshot,
    ua,
    ue,
    unit,
    unreadable,
)

LAW = settings(deadline=None)  # laws say nothing about time
NUMBERS = ["0_0_0", "12_0_0", "12_1_0", "12_1_3", "13_0_0", "13_2_0"]
CODES = ["A", "A_1", "B", "Å 1/2"]
VERSIONS = ["1", "2", "1_2"]
TERMS = [H26.step(-1), H26, V27, H27]
FLAG = st.sampled_from([True, True, True, False])
PLACES = st.sampled_from([*NUMBERS, "99_0_0", None])
NAMES = st.sampled_from(["Hav", "Tang", ""])
NUMBER = st.sampled_from([1, 1, 2])

UNITS = st.builds(unit, st.sampled_from(NUMBERS), NAMES, PLACES, skal_eksporteres_til_lms=FLAG, er_aktiv=FLAG)
EMNER = st.builds(
    emne, st.sampled_from(CODES), st.sampled_from(VERSIONS), PLACES, NAMES,
    fra_undervisning=FLAG, tjenestenummer_for_lms=st.sampled_from(["2", "2", "1", None]),
)  # fmt: skip
TEACHING = st.builds(
    ue, st.sampled_from(CODES), st.sampled_from(TERMS), NUMBER, st.sampled_from(VERSIONS),
    st.sampled_from([None, None, *CODES]), skal_eksporteres_til_lms=FLAG,
    siste_termin=st.sampled_from([None, None, *TERMS]),
)  # fmt: skip
ACTIVITIES = st.builds(
    ua, TEACHING, st.sampled_from(["G1", "G2", "F"]), NAMES,
    parent=st.sampled_from([None, "F", "G1", "G2"]), skal_eksporteres_til_lms=FLAG,
    lms_romkode=st.sampled_from([None, "eget-rom", "ikke-rom", "ukjent"]),
)  # fmt: skip
ROOM = st.sampled_from([None, "R"])
PROGRAMS = st.sampled_from(["B-INF", "M-INF"])
OTHERS = st.one_of(
    st.builds(program, PROGRAMS, PLACES, lms_romkode=ROOM, skal_eksporteres_til_lms=FLAG),
    st.builds(kull, PROGRAMS, st.sampled_from(TERMS), NAMES, skal_eksporteres_til_lms=FLAG),
    st.builds(klasse, st.sampled_from("AB"), PROGRAMS, st.sampled_from(TERMS), lms_romkode=ROOM),
    st.builds(evu, st.sampled_from(["LED1", "LED2"]), at=PLACES, skal_eksporteres_til_lms=FLAG),
)
UNREADABLE = st.one_of(
    st.builds(unreadable, st.just(SourceKind.ORGANISASJONSENHET), st.just("184"), st.sampled_from(["12", "13"])),
    st.builds(unreadable, st.just(SourceKind.EMNE), st.sampled_from(CODES)),
    st.builds(unreadable, st.just(SourceKind.UNDERVISNINGSENHET), st.sampled_from(CODES), st.sampled_from(VERSIONS)),
    st.builds(unreadable, st.just(SourceKind.KULL), PROGRAMS),
)
ROWS = st.lists(st.one_of(UNITS, EMNER, TEACHING, TEACHING, ACTIVITIES, OTHERS), max_size=40)
ROOMS = {"codes": {"eget-rom": "own_room", "ikke-rom": "none"}}
INSTITUTIONS = st.sampled_from(
    [institution(room_codes=ROOMS, emne_accounts=which, fs=fs) for which in ("exported", "all")
     for fs in ({}, {"service_numbers": ["2"]})]
)  # fmt: skip


def shot_of(rows: list[Row], inst: Institution, before: list[Row] | None = None) -> Snapshot:
    earlier = snapshot(*before, inst=inst).objects.values() if before else ()
    return snapshot(*rows, inst=inst, confirmed=earlier)


@LAW
@given(ROWS, INSTITUTIONS, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(rows: list[Row], inst: Institution, chance: random.Random) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)

    assert shot_of(mixed, inst, rows) == shot_of(rows, inst, rows)


@LAW
@given(ROWS)
def test_leading_zeros_of_the_institutions_number_never_matter(rows: list[Row]) -> None:
    assert shot_of(rows, institution(number="00184")) == shot_of(rows, institution(number="184"))


@LAW
@given(ROWS, ROWS, INSTITUTIONS)
def test_what_everything_lies_in_is_in_the_snapshot_or_confirmed(
    rows: list[Row], before: list[Row], inst: Institution
) -> None:
    earlier = snapshot(*before, inst=inst)
    shot = snapshot(*rows, inst=inst, confirmed=earlier.objects.values())

    there = {*shot.objects, *earlier.objects, Key(Kind.ACCOUNT, HOME)}
    assert {parent for thing in shot.objects.values() for parent in parents_of(thing)} <= there


@LAW
@given(ROWS, INSTITUTIONS)
def test_no_account_ever_lies_below_itself(rows: list[Row], inst: Institution) -> None:
    shot = shot_of(rows, inst)

    parents = {thing.sis_id: thing.parent for thing in shot.objects.values() if isinstance(thing, Account)}
    for account in parents:
        seen = set()
        while account in parents:
            assert account not in seen
            seen.add(account)
            account = parents[account]
        assert account == HOME


@LAW
@given(ROWS, ROWS, INSTITUTIONS)
def test_every_object_has_the_key_it_stands_under_and_none_is_untouchable(
    rows: list[Row], before: list[Row], inst: Institution
) -> None:
    earlier = snapshot(*before, inst=inst)
    shot = snapshot(*rows, inst=inst, confirmed=earlier.objects.values())

    assert all(key == key_of(thing) for key, thing in shot.objects.items())
    assert shot.untouchable <= earlier.objects.keys() - shot.objects.keys()


@LAW
@given(ROWS, ROWS, UNREADABLE, INSTITUTIONS)
def test_a_row_that_cannot_be_read_never_removes_or_changes_another_rows_object(
    rows: list[Row], before: list[Row], bad: UnreadableRow, inst: Institution
) -> None:
    earlier = snapshot(*before, inst=inst).objects
    sound = snapshot(*rows, inst=inst, confirmed=earlier.values())
    shot = snapshot(*rows, bad, inst=inst, confirmed=earlier.values())

    assert sound.objects.keys() & earlier.keys() <= shot.objects.keys() | shot.untouchable
    assert earlier.keys() - shot.objects.keys() - shot.untouchable <= earlier.keys() - sound.objects.keys()


@LAW
@given(ROWS, ROWS, INSTITUTIONS)
def test_every_decision_is_about_one_row_and_what_is_allowed_is_what_is_sent(
    rows: list[Row], before: list[Row], inst: Institution
) -> None:
    shot = shot_of(rows, inst, before)

    sent = {decision.key for decision in shot.decisions if decision.allowed}
    own = Key(Kind.ACCOUNT, HOME)
    assert sent - {own} <= shot.objects.keys()
    refused = {d.key for d in shot.decisions if not d.allowed and d.rule in {"id-collision", "parent-not-sent"}}
    assert refused.isdisjoint(key for key in shot.objects if key.kind is not Kind.TERM)


@LAW
@given(ROWS, INSTITUTIONS)
def test_mapping_the_same_rows_onto_what_they_made_changes_nothing(rows: list[Row], inst: Institution) -> None:
    first = snapshot(*rows, inst=inst)
    second = snapshot(*rows, inst=inst, confirmed=first.objects.values())

    changed = {key for key, thing in first.objects.items() if second.objects[key] != thing}
    assert changed == set()


@LAW
@given(st.sampled_from(CODES), st.sampled_from(VERSIONS), st.sampled_from(TERMS), st.integers(1, 6))
def test_every_term_of_a_course_gives_it_the_same_id(code: str, version: str, first: Semester, length: int) -> None:
    rows = [ue(code, first.step(n), n + 1, version) for n in range(length)]
    scope = Scope(frozenset(row.key.semester.sis_id for row in rows))
    courses = {
        sis_id for row in rows for sis_id in ids(snapshot(emne(code, version, "0_0_0"), row, scope=scope), Kind.COURSE)
    }

    assert courses == {f"UE_184_{code}_{version}_{first.sis_id}_1"}


@LAW
@given(ROWS, INSTITUTIONS)
def test_problems_are_only_of_the_kinds_that_the_mapping_finds(rows: list[Row], inst: Institution) -> None:
    assert {problem.code for problem in shot_of(rows, inst).problems} <= {Code.ID_COLLISION, Code.ROOM_CODE_UNKNOWN}
