from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.differences import Comparison, Difference, Finding, Hand, Worlds
from rosterflow.domain.model import Account, CanvasObject, Course, Key, Kind, Section, State, key_of
from rosterflow.domain.reconcile import Belief, believe, reconcile
from rosterflow.domain.rosters import Roster, shelf_of
from tests.domain import builders as a
from tests.domain import roster_builders as p
from tests.domain.fs_builders import institution

OWN = Account(a.ROOT, "Fjord", "")
EMNE = a.emne("INF")
COURSE = a.ue("INF")
SECTION = a.ue_section("INF")
THINGS: tuple[CanvasObject, ...] = (a.term(), EMNE, COURSE, SECTION)
COLLEGE = institution(canvas={"account": a.ROOT})


def compare(
    confirmed: World,
    actual: World,
    *,
    wanted: World | None = None,
    by_hand: Iterable[CanvasObject] = (),
    **settings: Any,
) -> Comparison:
    """Canvas has the institution's own account, too."""
    there = World([*actual.values(), ConfirmedObject(OWN)], actual.rosters.values())
    one = institution(**{"canvas": {"account": a.ROOT}, **settings})
    return reconcile(one, Worlds(wanted or confirmed, confirmed, there, frozenset(map(key_of, by_hand))))


def found(confirmed: World, actual: World, **more: Any) -> list[Difference]:
    return list(compare(confirmed, actual, **more).differences)


def difference(finding: Finding, thing: CanvasObject, **more: Any) -> Difference:
    return Difference(finding, *key_of(thing), **more)


def of_person(finding: Finding, roster: Roster, user: str, **more: Any) -> Difference:
    return Difference(finding, *roster.whole, user=user, **more)


# -- objects -----------------------------------------------------------------------------------------------------------


def test_where_canvas_is_as_it_was_confirmed_nothing_is_found() -> None:
    people = [p.roster(SECTION, ["u1", "u2"])]
    world = p.world(*THINGS, rosters=people, users=p.users(u1="kari", u2="ola"))

    same = compare(world, world)

    assert same.differences == ()
    assert same.followed == Counter()
    assert same.compared == Counter(
        {Kind.TERM: 1, Kind.ACCOUNT: 1, Kind.COURSE: 1, Kind.SECTION: 1, Kind.USER: 2, Kind.ENROLLMENT: 2}
    )


def test_a_field_that_people_changed_has_drifted() -> None:
    renamed = replace(COURSE, long_name="Kurset mitt", account="EMNE_MAT_1")
    mat = a.emne("MAT")

    assert found(p.world(*THINGS, mat), p.world(a.term(), EMNE, mat, renamed, SECTION)) == [
        difference(
            Finding.DRIFTED, COURSE, field="account", wanted="EMNE_INF_1", confirmed="EMNE_INF_1", actual="EMNE_MAT_1"
        ),
        difference(
            Finding.DRIFTED, COURSE, field="long_name", wanted="Course", confirmed="Course", actual="Kurset mitt"
        ),
    ]


def test_what_was_sent_and_never_confirmed_is_a_difference_by_us() -> None:
    renamed = replace(COURSE, long_name="Nytt navn")
    wanted = p.world(a.term(), EMNE, renamed, SECTION)

    (one,) = found(p.world(*THINGS), wanted, wanted=wanted)

    assert (one.field, one.hand, one.can_be_repaired) == ("long_name", Hand.OURS, True)


def test_a_field_of_which_canvas_was_known_to_keep_it_is_not_repaired() -> None:
    confirmed = a.world(*THINGS, owned={COURSE: ["long_name"]})

    (one,) = found(confirmed, p.world(a.term(), EMNE, replace(COURSE, long_name="Kurset mitt"), SECTION))

    assert (one.hand, one.can_be_repaired) == (Hand.KEPT, False)


def test_a_course_that_we_unpublished_is_as_it_was_confirmed() -> None:
    hidden = replace(COURSE, state=State.UNPUBLISHED)

    assert found(p.world(a.term(), EMNE, hidden, SECTION), p.world(*THINGS)) == []


def test_dates_of_terms_are_compared_only_where_they_are_ours() -> None:
    renamed: list[CanvasObject] = [a.term(name="Høst (rektor)"), EMNE, COURSE, SECTION]

    assert found(p.world(*THINGS), p.world(*renamed)) == []
    (one,) = found(p.world(*THINGS), p.world(*renamed), canvas={"account": a.ROOT, "owns_term_dates": True})
    assert (one.finding, one.kind, one.actual) == (Finding.DRIFTED, Kind.TERM, "Høst (rektor)")


def test_of_a_course_that_was_deleted_only_the_course_is_told() -> None:
    confirmed = p.world(*THINGS, rosters=[p.roster(SECTION, ["u1", "u2"])])
    deleted = p.world(
        a.term(),
        EMNE,
        replace(COURSE, state=State.DELETED),
        rosters=[p.roster(SECTION, dict.fromkeys(["u1", "u2"], "deleted"))],
    )

    result = compare(confirmed, deleted)

    assert list(result.differences) == [difference(Finding.MISSING, COURSE, wanted="active", confirmed="active")]
    assert result.followed == Counter({Kind.SECTION: 1, Kind.ENROLLMENT: 2})
    assert result.to_believe == {key_of(COURSE), key_of(SECTION), p.whole(SECTION)}


def test_of_a_course_that_was_concluded_its_people_are_not_told() -> None:
    confirmed = p.world(*THINGS, rosters=[p.roster(SECTION, ["u1"])])
    concluded = replace(COURSE, state=State.COMPLETED)
    actual = p.world(a.term(), EMNE, concluded, SECTION, rosters=[p.roster(SECTION, {"u1": "completed"})])

    result = compare(confirmed, actual)

    assert [(one.finding, one.field, one.actual) for one in result.differences] == [
        (Finding.DRIFTED, "state", "completed")
    ]
    assert result.followed == Counter({Kind.ENROLLMENT: 1})


def test_what_is_gone_and_not_wanted_any_more_is_missing_by_our_own_hand() -> None:
    wanted = p.world(a.term(), EMNE, COURSE, replace(SECTION, state=State.DELETED))

    (one,) = found(p.world(*THINGS), p.world(a.term(), EMNE, COURSE), wanted=wanted)

    assert (one.finding, one.key, one.hand) == (Finding.MISSING, key_of(SECTION), Hand.OURS)


def test_what_has_an_id_of_ours_and_nobody_knows_of_is_extra() -> None:
    unknown = Course("UE_184_MAT_1_2026_HØST_1", "MAT", "MAT", EMNE.sis_id, a.NOW)
    theirs = Course("XYZ", "X", "X", EMNE.sis_id)
    confirmed, actual = p.world(*THINGS), p.world(*THINGS, unknown, theirs)

    assert found(confirmed, actual) == [difference(Finding.EXTRA_BY_US, unknown, actual="active")]
    assert found(confirmed, actual, wanted=actual) == [
        difference(Finding.EXTRA_BY_US, unknown, hand=Hand.OURS, wanted="active", actual="active")
    ]


def test_what_people_made_in_what_is_ours_is_extra_by_hand_and_what_they_made_elsewhere_is_not() -> None:
    group = Section("(Canvas 7)", "Kollokvie", COURSE.sis_id)
    elsewhere = Section("(Canvas 8)", "Kollokvie", "")

    result = compare(p.world(*THINGS), p.world(*THINGS, group, elsewhere), by_hand=[group, elsewhere])

    assert list(result.differences) == [difference(Finding.EXTRA_BY_HAND, group, actual="active")]
    assert result.to_believe == frozenset()


def test_what_is_in_use_though_its_parent_is_gone_is_an_orphan() -> None:
    gone = replace(EMNE, state=State.DELETED)

    assert found(p.world(*THINGS), p.world(a.term(), gone, COURSE, SECTION)) == [
        difference(Finding.MISSING, EMNE, wanted="active", confirmed="active"),
        difference(Finding.ORPHAN, COURSE, wanted="active", actual="account EMNE_INF_1"),
    ]


# -- people ------------------------------------------------------------------------------------------------------------


def of_people(
    have: dict[str, str], now: dict[str, str], wanted: dict[str, str] | None = None, role: str = p.STUDENT
) -> list[Difference]:
    """What is found of the enrollments of a section."""
    worlds = [p.world(*THINGS, rosters=[p.roster(SECTION, one, role)]) for one in (have, now, wanted or have)]
    return found(*worlds[:2], wanted=worlds[2])


ROSTER = p.roster(SECTION, ["u1"])


def test_an_enrollment_that_somebody_deleted_is_missing_whether_canvas_still_lists_it_or_not() -> None:
    missing = [of_person(Finding.MISSING, ROSTER, "u1", wanted="active", confirmed="active")]

    assert of_people({"u1": "active", "u2": "active"}, {"u2": "active"}) == missing
    assert of_people({"u1": "active", "u2": "active"}, {"u1": "deleted", "u2": "active"}) == missing


def test_an_enrollment_that_somebody_changed_has_drifted() -> None:
    assert of_people({"u1": "active"}, {"u1": "inactive"}) == [
        of_person(Finding.DRIFTED, ROSTER, "u1", field="state", wanted="active", confirmed="active", actual="inactive")
    ]
    assert of_people({"u1": "deleted"}, {"u1": "active"}) == [
        of_person(Finding.DRIFTED, ROSTER, "u1", field="state", wanted="deleted", confirmed="deleted", actual="active")
    ]


def test_an_enrollment_that_is_planned_and_in_canvas_already_is_extra_by_us() -> None:
    assert of_people({}, {"u1": "active"}, {"u1": "active"}) == [
        of_person(Finding.EXTRA_BY_US, ROSTER, "u1", hand=Hand.OURS, wanted="active", actual="active")
    ]


def test_who_was_enrolled_by_hand_is_told_unless_the_source_has_them_there_too() -> None:
    assert of_people({"u1": "by-hand"}, {"u1": "by-hand", "u2": "by-hand"}) == [
        of_person(Finding.EXTRA_BY_HAND, ROSTER, "u1", wanted="by-hand", actual="active"),
        of_person(Finding.EXTRA_BY_HAND, ROSTER, "u2", actual="active"),
    ]
    assert of_people({"u1": "by-hand"}, {"u1": "by-hand"}, {"u1": "active"}) == []


def test_what_people_did_by_hand_they_may_undo() -> None:
    assert of_people({"u1": "by-hand"}, {}) == []


def test_a_role_that_the_settings_do_not_name_is_told_and_nothing_else_of_it() -> None:
    world = p.world(*THINGS)
    observers = p.roster(SECTION, {"u1": "active", "u2": "by-hand", "u3": "deleted"}, "ObserverEnrollment")

    assert found(world, p.world(*THINGS, rosters=[observers])) == [
        of_person(Finding.UNKNOWN_ROLE, observers, "u1", actual="active"),
        of_person(Finding.UNKNOWN_ROLE, observers, "u2", actual="by-hand"),
    ]


def test_places_that_are_not_ours_are_nobodys_business() -> None:
    elsewhere = p.roster(Section("XYZ", "Theirs", "X"), ["u1"])

    assert found(p.world(*THINGS), p.world(*THINGS, rosters=[elsewhere])) == []


def test_a_users_fields_are_compared_without_being_told_and_only_those_that_are_ours() -> None:
    was = {"u1": p.user("kari")}
    now = {"u1": p.user("nord", name="Kari N.", email="k@example.org")}
    shelf = Key(Kind.USER, f"shelf {shelf_of('u1')}")
    told = Difference(Finding.DRIFTED, *shelf, user="u1", field="login")

    assert found(p.world(users=was), p.world(users=now), people={"users": {"owns": []}}) == [told]
    assert found(p.world(users=was), p.world(users=now)) == [
        Difference(Finding.DRIFTED, *shelf, user="u1", field=name) for name in ("email", "login", "name")
    ]


def test_of_a_user_who_was_deleted_the_enrollments_are_not_told_unless_one_is_in_use() -> None:
    tutors = p.roster(COURSE, ["u1"], p.TEACHER)
    confirmed = p.world(*THINGS, rosters=[ROSTER, tutors], users=p.users(u1="kari"))
    actual = p.world(*THINGS, rosters=[p.roster(SECTION, {"u1": "deleted"}), tutors])

    result = compare(confirmed, actual)

    assert [(one.finding, one.kind, one.sis_id) for one in result.differences] == [
        (Finding.MISSING, Kind.USER, f"shelf {shelf_of('u1')}"),
        (Finding.ORPHAN, Kind.ENROLLMENT, tutors.sis_id),
    ]
    assert result.followed == Counter({Kind.ENROLLMENT: 1})


def test_users_are_left_alone_where_an_identity_system_makes_them() -> None:
    assert found(p.world(users=p.users(u1="kari")), p.world(), people={"users": {"provision": False}}) == []


def test_findings_are_counted_by_object_and_person_whatever_the_number_of_fields() -> None:
    was = {"u1": p.user("kari"), "u2": p.user("ola")}
    now = {"u1": p.user("nord", name="Kari N."), "u2": p.user("hansen")}
    renamed = replace(COURSE, long_name="A", short_name="B")

    counts = compare(p.world(*THINGS, users=was), p.world(a.term(), EMNE, renamed, SECTION, users=now)).counts

    assert counts[Finding.DRIFTED] == Counter({Kind.COURSE: 1, Kind.USER: 2})
    assert not any(counts[finding] for finding in Finding if finding is not Finding.DRIFTED)


# -- believing Canvas --------------------------------------------------------------------------------------------------


def believed(confirmed: World, actual: World, *keys: Key) -> Belief:
    return believe(COLLEGE, Worlds(confirmed, confirmed, actual), keys)


def test_what_is_believed_is_what_canvas_has_with_what_we_know_of_it_besides() -> None:
    renamed = Course(COURSE.sis_id, "INF", "Kurset mitt", COURSE.account, COURSE.term)
    confirmed = a.world(*THINGS, owned={COURSE: ["short_name"]})

    belief = believed(confirmed, p.world(renamed), key_of(COURSE), key_of(SECTION))

    (one,) = belief.objects
    assert one == ConfirmedObject(renamed, frozenset({"short_name"}))
    assert one.thing.origin == COURSE.origin
    assert belief.rosters == ()
    assert belief.forgotten == {key_of(SECTION)}


def test_a_roster_that_is_believed_has_the_people_whom_canvas_has() -> None:
    confirmed = p.world(*THINGS, rosters=[p.roster(SECTION, ["u1", "u2"])])
    now = p.roster(SECTION, {"u2": "inactive", "u3": "by-hand"})

    assert believed(confirmed, p.world(*THINGS, rosters=[now]), now.whole).rosters == (now,)
    (empty,) = believed(confirmed, p.world(*THINGS), now.whole).rosters
    assert (empty.whole, empty.members) == (now.whole, {})


def test_a_roster_nobody_knew_of_gets_the_origin_of_its_place() -> None:
    there = replace(p.roster(SECTION, ["u1"]), origin=p.roster(EMNE, []).origin)

    (one,) = believed(p.world(*THINGS), p.world(*THINGS, rosters=[there]), there.whole).rosters

    assert (one.members, one.origin) == (there.members, SECTION.origin)
