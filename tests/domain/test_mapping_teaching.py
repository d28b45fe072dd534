from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from rosterflow.domain.model import Course, Key, Kind, Origin, Section, SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import Semester
from tests.domain.fs_builders import (
    FAKULTET,
    H26,
    H27,
    INF,
    NOW,
    V27,
    V28,
    course,
    decision,
    emne,
    facts,
    ids,
    institution,
    rule,
    section,
    snapshot,
    termin,
    ua,
    ue,
    unreadable,
)

UE = "UE_184_INF_1_2026_HØST_1"
S26 = Semester.of("2026_SOM")


def scope(*terms: Semester) -> Scope:
    return Scope(frozenset(term.sis_id for term in terms))


def test_an_exported_undervisningsenhet_is_a_course_in_the_emnes_account_and_a_section_of_the_same_id() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF"))

    assert course(shot, UE) == Course(UE, "INF H26", "INF Om INF (Høst 2026)", "EMNE_184_INF_1", "2026_HØST")
    assert section(shot, UE) == Section(UE, "INF Om INF", UE)
    origin = Origin(SourceKind.UNDERVISNINGSENHET, "2026_HØST", "UE_184_INF_2026_HØST_1")
    assert course(shot, UE).origin == section(shot, UE).origin == origin
    assert rule(shot, ue("INF")) == (True, "ue-exported")
    assert decision(shot, ue("INF")).key == Key(Kind.COURSE, UE)


def test_an_undervisningsenhet_that_is_not_exported_is_nothing() -> None:
    off = ue("INF", skal_eksporteres_til_lms=False)
    shot = snapshot(FAKULTET, INF, off)

    assert ids(shot, Kind.COURSE) == ids(shot, Kind.SECTION) == []
    assert rule(shot, off) == (False, "ue-not-exported")
    assert facts(shot, off) == {"skalEksporteresTilLms": "false"}


def test_the_number_of_an_institution_is_unpadded_in_every_id() -> None:
    rows = (FAKULTET, INF, ue("INF"))

    assert snapshot(*rows, inst=institution(number="0184")) == snapshot(*rows)


def test_teaching_in_terms_outside_the_scope_is_left_alone_and_counted() -> None:
    later = ue("INF", H27)
    shot = snapshot(FAKULTET, INF, ue("INF"), later)

    assert ids(shot, Kind.COURSE) == [UE]
    (counted,) = [d for d in shot.decisions if d.rule == "outside-terms"]
    assert dict(counted.facts) == {"undervisningsenheter": "1", "undervisningsaktiviteter": "0"}
    assert later.subject not in {d.subject for d in shot.decisions}


def test_only_rows_of_the_scopes_terms_count_as_read() -> None:
    now, later = ue("INF"), ue("INF", H27)
    broken = [
        unreadable(kind, "INF", "1", term.sis_id, "1")
        for kind in (SourceKind.UNDERVISNINGSENHET, SourceKind.UNDERVISNINGSAKTIVITET)
        for term in (H26, H27)
    ]
    shot = snapshot(FAKULTET, INF, now, later, ua(now, "G1"), ua(later, "G1"), *broken)

    assert shot.rows_read[SourceKind.UNDERVISNINGSENHET] == 2
    assert shot.rows_read[SourceKind.UNDERVISNINGSAKTIVITET] == 2


def test_an_unreadable_row_that_may_be_of_the_scopes_terms_counts_as_read() -> None:
    shot = snapshot(FAKULTET, INF, unreadable(SourceKind.UNDERVISNINGSENHET, "INF", "1"))

    assert shot.rows_read[SourceKind.UNDERVISNINGSENHET] == 1


def test_names_are_in_the_institutions_language_and_patterns() -> None:
    inst = institution(
        names={"languages": ["en"], "course_short": "{kode}-{versjon}", "course_long": "{navn}, {termin}"}
    )
    shot = snapshot(FAKULTET, INF, ue("INF"), inst=inst)

    assert (course(shot, UE).short_name, course(shot, UE).long_name) == ("INF-1", "Om INF, Autumn 2026")


# ----------------------------------------------------------------- several terms
def test_a_course_over_several_terms_is_one_course_under_its_first_terms_id() -> None:
    first, second = ue("INF"), ue("INF", V27, 2)
    shot = snapshot(FAKULTET, INF, first, second)

    assert ids(shot, Kind.COURSE) == ids(shot, Kind.SECTION) == [UE]
    assert (course(shot, UE).account, course(shot, UE).term) == ("EMNE_184_INF_1", "2026_HØST")
    assert rule(shot, first) == rule(shot, second) == (True, "ue-exported")


def test_a_course_in_its_second_term_keeps_the_id_and_term_of_its_first() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF", V27, 2), scope=scope(V27, H27))

    assert course(shot, UE).term == "2026_HØST"
    assert "2026_HØST" in ids(shot, Kind.TERM)


def test_a_course_over_several_terms_has_dates_of_its_own_up_to_the_latest_term_seen() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF"), ue("INF", V27, 2))

    assert course(shot, UE).start == datetime(2026, 7, 31, 22, tzinfo=UTC)
    assert course(shot, UE).end == datetime(2027, 7, 30, 21, 59, 59, tzinfo=UTC)


def test_a_course_over_several_terms_ends_with_its_siste_termin() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF", siste_termin=H27))

    assert course(shot, UE).end == datetime(2028, 1, 30, 22, 59, 59, tzinfo=UTC)


def test_a_siste_termin_before_a_term_that_was_seen_is_not_believed() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF"), ue("INF", V27, 2, siste_termin=H26))

    assert course(shot, UE).end == datetime(2027, 7, 30, 21, 59, 59, tzinfo=UTC)


def test_a_siste_termin_that_is_its_only_term_makes_no_dates() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF", siste_termin=H26))

    assert (course(shot, UE).start, course(shot, UE).end) == (None, None)


def test_dates_of_a_course_come_from_the_terms_dates_in_fs() -> None:
    terms = (termin(H26, date(2026, 8, 17), date(2026, 12, 18)), termin(V27, date(2027, 1, 11), date(2027, 6, 4)))
    shot = snapshot(FAKULTET, INF, ue("INF"), ue("INF", V27, 2), *terms, inst=institution(terms={"grace_days": 0}))

    assert course(shot, UE).start == datetime(2026, 8, 16, 22, tzinfo=UTC)
    assert course(shot, UE).end == datetime(2027, 6, 4, 21, 59, 59, tzinfo=UTC)


def test_summer_is_not_counted_when_the_first_term_is_sought() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF", S26, 2), scope=scope(S26))

    assert ids(shot, Kind.COURSE) == ["UE_184_INF_1_2026_VÅR_1"]


def test_a_summer_course_has_an_id_of_its_term() -> None:
    assert ids(snapshot(FAKULTET, INF, ue("INF", S26), scope=scope(S26)), Kind.COURSE) == ["UE_184_INF_1_2026_SOM_1"]


def test_the_term_of_a_courses_origin_is_the_last_in_which_it_was_seen() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF"), ue("INF", V27, 2))

    assert course(shot, UE).origin.term == section(shot, UE).origin.term == "2027_VÅR"


def test_a_run_for_a_past_term_does_not_shorten_a_course_that_goes_on() -> None:
    rows = (FAKULTET, INF, ue("INF"), ue("INF", V27, 2))
    daily = snapshot(*rows)
    past = snapshot(*rows, scope=scope(H26), confirmed=daily.objects.values())

    assert course(past, UE) == course(daily, UE)
    assert course(past, UE).origin == course(daily, UE).origin


def test_a_second_term_that_was_cancelled_is_forgotten_by_a_run_that_covers_it() -> None:
    daily = snapshot(FAKULTET, INF, ue("INF"), ue("INF", V27, 2))
    after = snapshot(FAKULTET, INF, ue("INF"), confirmed=daily.objects.values())

    assert course(after, UE).origin.term == "2026_HØST"
    assert course(after, UE).end is None


def test_two_courses_of_one_emne_in_one_term_are_told_apart_by_the_term_they_began() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF", H26, 1), ue("INF", H26, 2))

    assert ids(shot, Kind.COURSE) == ["UE_184_INF_1_2026_HØST_1", "UE_184_INF_1_2026_VÅR_1"]


# ----------------------------------------------------------------- teaching that follows another emne
MAT, FYS = emne("MAT"), emne("FYS")
MAT_UE, FYS_UE = "UE_184_MAT_1_2026_HØST_1", "UE_184_FYS_1_2026_HØST_1"


def test_teaching_that_follows_another_emne_has_its_section_in_that_emnes_course() -> None:
    follower = ue("INF", folger="MAT")
    shot = snapshot(FAKULTET, INF, MAT, follower, ue("MAT"))

    assert ids(shot, Kind.COURSE) == [MAT_UE]
    assert section(shot, UE) == Section(UE, "INF Om INF", MAT_UE)
    assert rule(shot, follower) == (True, "ue-follows")
    assert facts(shot, follower)["undervisningenFolger"] == "MAT"


def test_the_followed_course_is_the_one_of_the_highest_version() -> None:
    versions = [emne("MAT", versjon) for versjon in ("9", "10")]
    teaching = [ue("MAT", versjon=versjon) for versjon in ("9", "10")]
    shot = snapshot(FAKULTET, INF, *versions, ue("INF", folger="MAT"), *teaching)

    assert section(shot, UE).course == "UE_184_MAT_10_2026_HØST_1"


def test_teaching_follows_only_in_its_own_term_and_term_number() -> None:
    follower = ue("INF", folger="MAT")
    shot = snapshot(FAKULTET, INF, MAT, follower, ue("MAT", V27), ue("MAT", H26, 2))

    assert section(shot, UE).course == UE
    assert rule(shot, follower) == (True, "followed-missing")


def test_teaching_that_follows_an_emne_without_exported_teaching_has_a_course_of_its_own() -> None:
    follower = ue("INF", folger="MAT")
    shot = snapshot(FAKULTET, INF, MAT, follower, ue("MAT", skal_eksporteres_til_lms=False))

    assert ids(shot, Kind.COURSE) == [UE]
    assert rule(shot, follower) == (True, "followed-missing")


def test_a_follower_of_a_follower_lies_in_the_course_at_the_end() -> None:
    shot = snapshot(FAKULTET, INF, MAT, FYS, ue("INF", folger="MAT"), ue("MAT", folger="FYS"), ue("FYS"))

    assert ids(shot, Kind.COURSE) == [FYS_UE]
    assert {section(shot, one).course for one in (UE, MAT_UE, FYS_UE)} == {FYS_UE}


def test_emner_that_follow_each_other_in_a_circle_have_courses_of_their_own() -> None:
    rows = ue("INF", folger="MAT"), ue("MAT", folger="INF")
    shot = snapshot(FAKULTET, INF, MAT, *rows)

    assert ids(shot, Kind.COURSE) == sorted([UE, MAT_UE])
    assert {rule(shot, row) for row in rows} == {(True, "followed-cycle")}


def test_a_follower_of_a_circle_lies_in_the_course_of_the_emne_it_follows() -> None:
    circle = ue("MAT", folger="FYS"), ue("FYS", folger="MAT")
    shot = snapshot(FAKULTET, INF, MAT, FYS, ue("INF", folger="MAT"), *circle)

    assert section(shot, UE).course == MAT_UE


def test_an_emne_that_follows_itself_has_a_course_of_its_own() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF", folger="INF"))

    assert section(shot, UE).course == UE


def test_a_course_that_existed_before_its_teaching_followed_is_kept_as_it_is() -> None:
    own = Course(UE, "INF", "As confirmed", "EMNE_184_INF_1", "2026_HØST")
    follower = ue("INF", folger="MAT")
    before = snapshot(FAKULTET, INF, ue("INF"))
    confirmed = [*(one for one in before.objects.values() if not isinstance(one, Course)), own]
    shot = snapshot(FAKULTET, INF, MAT, follower, ue("MAT"), confirmed=confirmed)

    assert course(shot, UE) == own
    assert section(shot, UE).course == MAT_UE
    assert rule(shot, follower) == (True, "followed-course-kept")


def test_a_course_over_several_terms_follows_in_its_second_term_too() -> None:
    rows = (ue("INF", V27, 2, folger="MAT"), ue("MAT", V27, 2))
    shot = snapshot(FAKULTET, INF, MAT, *rows)

    assert section(shot, UE).course == MAT_UE


def test_a_course_over_several_terms_follows_what_its_latest_term_follows() -> None:
    leaders = ue("MAT"), ue("FYS", V27, 2)
    shot = snapshot(FAKULTET, INF, MAT, FYS, ue("INF", folger="MAT"), ue("INF", V27, 2, folger="FYS"), *leaders)

    assert section(shot, UE).course == FYS_UE


def test_teaching_that_follows_what_an_incomplete_read_lacks_stays_where_it_is() -> None:
    follower = ue("INF", folger="MAT")
    whole = snapshot(FAKULTET, INF, MAT, follower, ue("MAT"))
    shot = snapshot(FAKULTET, INF, follower, confirmed=whole.objects.values(), gaps=["page 2 was dropped"])

    assert ids(shot, Kind.COURSE) == []
    assert Key(Kind.SECTION, UE) in shot.untouchable
    assert rule(shot, follower) == (False, "followed-not-read")


def test_activities_of_teaching_that_stays_where_it_is_stay_there_too() -> None:
    follower = ue("INF", folger="MAT")
    whole = snapshot(FAKULTET, INF, MAT, follower, ue("MAT"))
    group = ua(follower, "G1")
    shot = snapshot(FAKULTET, INF, follower, group, confirmed=whole.objects.values(), gaps=["page 2 was dropped"])

    assert section(shot, "UA_184_INF_1_2026_HØST_1_G1").course == MAT_UE


def test_teaching_that_follows_an_unread_emne_of_a_run_for_single_emner_stays_where_it_is() -> None:
    follower = ue("INF", folger="MAT")
    single = replace(NOW, emnekoder=frozenset({"INF"}))

    assert rule(snapshot(FAKULTET, INF, follower, scope=single), follower) == (False, "followed-not-read")


def test_a_followers_course_in_a_later_term_is_not_that_terms_business() -> None:
    shot = snapshot(FAKULTET, INF, MAT, ue("INF", folger="MAT"), ue("MAT"), ue("INF", V28))

    assert ids(shot, Kind.COURSE) == [MAT_UE]
