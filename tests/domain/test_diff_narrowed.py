"""What a run does that a person narrowed to some kinds or emner: only what it speaks of."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.fs.rows import Row
from rosterflow.domain.model import Kind, SourceKind, State
from rosterflow.domain.plan import Action, Plan
from rosterflow.domain.snapshot import Scope
from tests.domain import builders as a
from tests.domain.fs_builders import FAKULTET, INF, NOW, V27, emne, evu, kull, program, snapshot, termin, ua, ue

ROWS: tuple[Row, ...] = (FAKULTET, INF, ue("INF"), program(), kull(), evu())
COURSE = "UE_184_INF_1_2026_HØST_1"
TERMS = [(Action.CREATE, "term 2026_HØST"), (Action.CREATE, "term 2027_VÅR")]


def kinds(*sources: SourceKind) -> Scope:
    return replace(NOW, sources=frozenset(sources))


def single(*koder: str) -> Scope:
    return replace(NOW, emnekoder=frozenset(koder))


def there(*rows: Row, **states: State) -> World:
    """What Canvas has of some rows; ``states`` by kind."""
    things = snapshot(*rows).objects.values()
    return World(ConfirmedObject(replace(one, state=states.get(one.kind, one.state))) for one in things)


def narrow(world: World, scope: Scope, *rows: Row) -> Plan:
    return a.plan(snapshot(*rows, scope=scope, confirmed=world.alive().values()), world)


def steps(plan: Plan) -> list[tuple[Action, str]]:
    return [(change.action, str(change.key)) for change in plan.changes]


def test_a_run_for_one_kind_creates_nothing_of_another() -> None:
    assert steps(narrow(World(), kinds(SourceKind.TERMIN), *ROWS)) == TERMS


def test_a_run_for_one_kind_creates_what_its_objects_lie_in_and_canvas_lacks() -> None:
    assert steps(narrow(World(), kinds(SourceKind.UNDERVISNINGSENHET), *ROWS, emne("MAT"))) == [
        TERMS[0],
        (Action.CREATE, "account 184_12_0_0"),
        (Action.CREATE, "account EMNE_184_INF_1"),
        (Action.CREATE, f"course {COURSE}"),
        (Action.CREATE, f"section {COURSE}"),
    ]


def test_a_run_for_one_kind_updates_only_that_kind() -> None:
    renamed = (FAKULTET, emne("INF", name="Nytt"), ue("INF"), program(name="Nytt"), kull(), evu())

    assert steps(narrow(there(*ROWS), kinds(SourceKind.STUDIEPROGRAM), *renamed)) == [
        (Action.UPDATE, "account STUDIEPROGRAM_184_B-INF")
    ]


def test_a_run_for_one_kind_opens_nothing_of_another_again() -> None:
    closed = there(*ROWS, course=State.COMPLETED)

    assert steps(narrow(closed, kinds(SourceKind.TERMIN), *ROWS)) == []


def test_a_run_for_one_kind_opens_its_own_again() -> None:
    closed = there(*ROWS, course=State.COMPLETED)

    assert steps(narrow(closed, kinds(SourceKind.EVU_KURS), *ROWS)) == [(Action.REOPEN, "course EVU_184_LED1_2026-1")]


def test_what_would_lie_in_something_that_stays_closed_waits() -> None:
    closed = there(*ROWS, course=State.COMPLETED)

    plan = narrow(closed, kinds(SourceKind.UNDERVISNINGSAKTIVITET), *ROWS, ua(ue("INF"), "G1"))

    assert plan.changes == ()
    assert [str(change.key) for change in plan.waiting] == ["section UA_184_INF_1_2026_HØST_1_G1"]


def test_a_run_for_single_emner_does_all_that_is_theirs_and_nothing_else() -> None:
    group = ua(ue("INF"), "G1")
    rows = (FAKULTET, emne("INF", name="Nytt"), ue("INF"), ue("INF", V27), group, program(name="Nytt"), evu("NY"))

    plan = narrow(there(*ROWS), single("INF"), *rows, termin(V27))

    assert Counter(steps(plan)) == Counter(
        [
            (Action.UPDATE, "account EMNE_184_INF_1"),
            (Action.UPDATE, f"course {COURSE}"),
            (Action.CREATE, "course UE_184_INF_1_2027_VÅR_1"),
            (Action.UPDATE, f"section {COURSE}"),
            (Action.CREATE, "section UA_184_INF_1_2026_HØST_1_G1"),
            (Action.CREATE, "section UE_184_INF_1_2027_VÅR_1"),
        ]
    )


def test_a_run_for_one_kind_of_single_emner_is_narrowed_by_both() -> None:
    both = replace(single("INF"), sources=frozenset({SourceKind.EMNE, SourceKind.EVU_KURS}))

    assert steps(narrow(there(*ROWS), both, FAKULTET, emne("INF", name="Nytt"), ue("INF"), evu("NY"))) == [
        (Action.UPDATE, "account EMNE_184_INF_1")
    ]


def test_a_narrowed_run_counts_as_unchanged_only_what_it_speaks_of() -> None:
    assert narrow(there(*ROWS), kinds(SourceKind.TERMIN), *ROWS).unchanged == Counter({Kind.TERM: 2})
    assert narrow(there(*ROWS), single("INF"), *ROWS).unchanged == Counter(
        {Kind.ACCOUNT: 1, Kind.COURSE: 1, Kind.SECTION: 1}
    )


def test_a_narrowed_run_makes_no_second_course_where_a_whole_run_would_change_an_id() -> None:
    bumped = (FAKULTET, emne("INF", "2"), ue("INF", versjon="2"), ua(ue("INF", versjon="2"), "G1"))

    plan = narrow(there(*ROWS), kinds(SourceKind.UNDERVISNINGSAKTIVITET), *bumped)

    assert plan.changes == ()
    assert [str(change.key) for change in plan.waiting] == ["section UA_184_INF_2_2026_HØST_1_G1"]
