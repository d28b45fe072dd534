"""Break the product on purpose, one way at a time, and see which tests notice.

``python tests/mutations.py`` applies each mutation to a scratch copy of the repository, runs the tests that are said to
notice it, and prints what turned red. ``python tests/mutations.py guard-removed --search tests/domain tests/scenarios``
runs all of those tests instead, to find more. docs/proof.md has the table; test_mutations.py holds it together.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
COPIED = ("plugins", "include", "dags", "tests", "docs", "pyproject.toml", "README.md")
LONGEST = 900
"""Seconds that the tests of one mutation may take."""


@dataclass(frozen=True)
class Mutation:
    """One way to break the product.

    :param what: the fault, in words.
    :param path: the file, from the repository's root.
    :param right: text that stands there once.
    :param wrong: what is put in its place.
    :param reds: tests that turn red, as ``path::function``; each of them, alone, is enough.
    """

    name: str
    what: str
    path: str
    right: str
    wrong: str
    reds: tuple[str, ...] = ()


MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "number-padded",
        "ids carry the institution's number with leading zeros",
        "plugins/rosterflow/domain/naming.py",
        'object.__setattr__(self, "institution", unpadded(self.institution))',
        'object.__setattr__(self, "institution", unpadded(self.institution).zfill(4))',
        reds=(
            "tests/domain/test_naming.py::test_sis_ids_have_the_documented_forms",
            "tests/domain/test_mapping_emner.py::test_an_emne_with_exported_teaching_is_an_account_under_its_responsible_unit",
            "tests/scenarios/test_dialects.py::test_a_full_sync_in_either_dialect_gives_the_same_canvas_in_what_both_carry",
        ),
    ),
    Mutation(
        "last-term",
        "a course over several terms lies in its last term instead of its first",
        "plugins/rosterflow/domain/mapping/teaching.py",
        "term=terms.use(chain.first),",
        "term=terms.use(chain.last.key.semester),",
        reds=(
            "tests/domain/test_mapping_teaching.py::test_a_course_over_several_terms_is_one_course_under_its_first_terms_id",
            "tests/domain/test_mapping_teaching.py::test_a_course_in_its_second_term_keeps_the_id_and_term_of_its_first",
            "tests/scenarios/test_dialects.py::test_names_and_dates_differ_only_as_the_docs_say",
        ),
    ),
    Mutation(
        "page-2-dropped",
        "the reader leaves out page 2",
        "plugins/rosterflow/hooks/fs_paging.py",
        "        yield page\n",
        "        if number != 2:\n            yield page\n",
        reds=(
            "tests/hooks/test_fs_paging.py::test_a_connection_is_paged_until_it_says_that_there_is_no_more",
            "tests/sync/test_reading_the_sandbox.py::test_tiny_pages_give_the_same_rows_as_large_ones",
            "tests/operators/test_fs_operator.py::test_each_page_is_an_xcom_of_its_own_and_only_counts_are_returned",
        ),
    ),
    Mutation(
        "errors-unseen",
        "errors beside the data are not looked at",
        "plugins/rosterflow/hooks/fs_transport.py",
        "return ExecutionResult(data=body.data, errors=body.errors)",
        "return ExecutionResult(data=body.data, errors=None)",
        reds=(
            "tests/hooks/test_fs_hook.py::test_every_answer_that_is_none_becomes_a_typed_error_that_says_where",
            "tests/sync/test_reading_the_sandbox.py::test_a_fault_on_the_second_page_fails_the_read",
            "tests/scenarios/test_cut_reads.py::test_a_cut_page_never_removes_anything",
        ),
    ),
    Mutation(
        "totals-unseen",
        "rows that FS counted and did not send are no gap",
        "plugins/rosterflow/sync/reading.py",
        "if total is not None and total > rows:",
        "if False:",
        reds=(
            "tests/sync/test_reading.py::test_rows_that_fs_counted_and_did_not_send_are_a_gap",
            "tests/sync/test_reading_the_sandbox.py::test_a_page_that_was_dropped_is_a_gap",
            "tests/scenarios/test_cut_reads.py::test_a_cut_page_never_removes_anything",
        ),
    ),
    Mutation(
        "reads-not-compared",
        "emner that only one of two reads listed are no gap",
        "plugins/rosterflow/sync/reading.py",
        "if lone := sorted(sides[True] ^ sides[False]):",
        "if lone := sorted(sides[True] & set()):",
        reds=(
            "tests/sync/test_reading.py::test_emner_that_one_of_two_reads_did_not_list_are_a_gap",
            "tests/scenarios/test_cut_reads.py::test_200_rows_that_fs_neither_sends_nor_counts_are_not_removed_without_a_person",
        ),
    ),
    Mutation(
        "gaps-remove",
        "an incomplete snapshot may remove",
        "plugins/rosterflow/domain/diff.py",
        "may_remove = snapshot.is_complete and not snapshot.scope.is_partial",
        "may_remove = not snapshot.scope.is_partial",
        reds=(
            "tests/domain/test_diff_removals.py::test_nothing_is_removed_that_the_snapshot_cannot_speak_of",
            "tests/properties/test_laws.py::test_an_incomplete_snapshot_removes_and_renames_nothing_whatever_is_cut",
            "tests/scenarios/test_cut_reads.py::test_a_cut_page_never_removes_anything",
        ),
    ),
    Mutation(
        "empty-believed",
        "a kind of which FS has no row any more is no failure",
        "plugins/rosterflow/sync/planning.py",
        "if empty and not snapshot.scope.is_partial:",
        "if False:",
        reds=(
            "tests/sync/test_planning.py::test_no_terms_are_an_empty_read_only_where_the_dialect_has_terms",
            "tests/scenarios/test_daily.py::test_a_kind_that_had_rows_and_has_none_is_a_failure_and_no_plan",
        ),
    ),
    Mutation(
        "guard-removed",
        "no change is risky",
        "plugins/rosterflow/domain/guards.py",
        "        elif change.key in risky:\n",
        "        elif False:\n",
        reds=(
            "tests/domain/test_guards_limits.py::test_removals_are_counted_in_every_term",
            "tests/domain/test_guards_limits.py::test_updates_of_more_than_half_of_a_kind_are_all_held_and_other_kinds_are_not",
            "tests/scenarios/test_approvals.py::test_waiting_holds_up_neither_the_rest_nor_the_next_day",
        ),
    ),
    Mutation(
        "first-contact-allowed",
        "the first plan of an institution is not held as a whole",
        "plugins/rosterflow/sync/planning.py",
        "first_contact=not known.contacted",
        "first_contact=False",
        reds=("tests/scenarios/test_daily.py::test_the_first_contact_only_plans_and_waits_for_a_person",),
    ),
    Mutation(
        "stale-approved",
        "what was approved is sent although Canvas is no longer as it was shown",
        "plugins/rosterflow/sync/approving.py",
        "outdated = {change.key for change in stale([one.change for one in waiting], world)}",
        "outdated: set[object] = set()",
        reds=("tests/scenarios/test_approvals.py::test_a_change_whose_object_is_no_longer_as_it_was_shown_is_refused",),
    ),
    Mutation(
        "stickiness-unseen",
        "what Canvas accepted is believed without reading it back",
        "plugins/rosterflow/sync/confirming.py",
        "READ_BACK = frozenset({Action.UPDATE, Action.CLOSE, Action.REOPEN, Action.DELETE})",
        "READ_BACK: frozenset[Action] = frozenset()",
        reds=(
            "tests/scenarios/test_daily.py::test_a_name_that_a_teacher_changed_stays_is_written_down_and_leaves_the_plan",
            "tests/scenarios/test_daily.py::test_a_course_that_a_teacher_published_is_still_closed_and_reopened",
        ),
    ),
    Mutation(
        "fence-unseen",
        "a run whose lease was taken over goes on writing",
        "plugins/rosterflow/store/leases.py",
        "if row is None or (row.holder, row.fence) != (holder, fence):",
        "if row is None:",
        reds=(
            "tests/store/test_leases.py::test_a_writer_that_slept_until_its_lease_was_taken_over_is_stopped",
            "tests/scenarios/test_institutions.py::test_a_run_whose_lease_was_taken_over_writes_nothing_more",
        ),
    ),
    Mutation(
        "posted-twice",
        "an import whose POST got no answer is not looked for",
        "plugins/rosterflow/sync/sending.py",
        'if any(name.startswith(f"{one.mark}-") for name in names):',
        "if False:",
        reds=(
            "tests/scenarios/test_faults.py::test_a_post_that_arrived_although_its_connection_was_cut_is_not_sent_twice",
        ),
    ),
    Mutation(
        "people-gaps-remove",
        "a read in which people are missing is complete",
        "plugins/rosterflow/domain/snapshot.py",
        "return not self.gaps and not self.people_gaps",
        "return len(self.gaps) == 0",
        reds=(
            "tests/domain/test_diff_rosters.py::test_a_read_that_is_not_whole_brings_people_and_takes_nobody",
            "tests/domain/test_user_ids.py::test_an_id_waits_while_the_read_is_not_whole",
            "tests/properties/test_roster_laws.py::test_an_incomplete_read_of_people_removes_nobody_whatever_is_cut",
            "tests/scenarios/test_cut_people.py::test_no_cut_page_of_any_operation_takes_anybody_out_of_anything",
        ),
    ),
    Mutation(
        "null-person-gone",
        "somebody whom FS does not show is taken for gone",
        "plugins/rosterflow/domain/roster_removals.py",
        "        if pair.wanted.has_unknown:\n",
        "        if False:\n",
        reds=(
            "tests/domain/test_diff_rosters.py::test_nobody_leaves_who_may_still_be_there",
            "tests/properties/test_roster_laws.py::test_nobody_leaves_a_roster_in_which_somebody_is_unknown_or_uncertain",
            "tests/scenarios/test_cut_people.py::test_no_cut_page_of_any_operation_takes_anybody_out_of_anything",
        ),
    ),
    Mutation(
        "whole-role-allowed",
        "the last of a role may go however few they are",
        "plugins/rosterflow/domain/guards.py",
        "    if removed >= alive and kind in MEMBER_FIELDS:\n",
        "    if False:\n",
        reds=(
            "tests/domain/test_guards_people.py::test_the_last_of_a_role_are_held_whatever_the_percentage",
            "tests/domain/test_guards_people.py::test_all_people_of_a_unit_are_held_whatever_the_percentage",
            "tests/properties/test_roster_laws.py::test_the_random_rosters_reach_every_rule_about_people",
        ),
    ),
    Mutation(
        "ladders-swapped",
        "students leave by the ladder of staff, and staff by that of students",
        "plugins/rosterflow/domain/leaving.py",
        "ladder = self.students if roster.role in self.student_roles else self.staff",
        "ladder = self.staff if roster.role in self.student_roles else self.students",
        reds=(
            "tests/domain/test_diff_rosters.py::test_staff_have_a_ladder_of_their_own_and_the_students_role_may_be_a_custom_one",
        ),
    ),
    Mutation(
        "refused-confirmed",
        "somebody whom Canvas refused counts as confirmed",
        "plugins/rosterflow/sync/confirming_people.py",
        "return _only(one, part.members.keys() - refused.keys())",
        "return _only(one, part.members.keys())",
        reds=(
            "tests/sync/test_confirming_people.py::test_a_refused_person_waits_alone_and_is_told_by_their_id",
            "tests/scenarios/test_people_users.py::test_a_login_that_canvas_refuses_stops_nobody_else_and_backs_off",
        ),
    ),
    Mutation(
        "admins-taken-over",
        "administrators whom people made since Canvas was read are sent as new ones",
        "plugins/rosterflow/sync/sparing.py",
        "if by_hand := users & part.members.keys():",
        "if by_hand := users - users:",
        reds=(
            "tests/sync/test_sparing.py::test_who_is_there_in_that_role_is_left_out_and_known_as_people_s",
            "tests/sync/test_sparing.py::test_an_import_that_was_never_posted_is_prepared_anew_without_whom_people_made_since",
            "tests/scenarios/test_people_admins.py::test_who_gets_the_role_with_them_is_sent_at_once_and_goes_with_it",
            "tests/scenarios/test_people_admins.py::test_what_a_person_approved_leaves_out_whom_people_have_made_an_administrator_meanwhile",
        ),
    ),
    Mutation(
        "users-unsealed",
        "users' names, logins and addresses are in the store as they are",
        "plugins/rosterflow/store/codec.py",
        "written.sealed = seal.close(_encoded(inside))",
        "written.people = {text: [] for row in thing.members.values() for text in row}\n"
        "        written.sealed = seal.close(_encoded(inside))",
        reds=(
            "tests/store/test_rosters.py::test_nothing_personal_of_a_user_can_be_read_in_the_database",
            "tests/scenarios/test_personal_ids.py::test_nothing_that_others_may_read_names_anybody",
        ),
    ),
    Mutation(
        "logins-shown",
        "SIS ids made of logins stand in row errors, history and mails",
        "plugins/rosterflow/store/person_keys.py",
        "        if _NUMBERED.fullmatch(user):\n            return user\n",
        "        if user:\n            return user\n",
        reds=(
            "tests/store/test_person_keys.py::test_any_other_id_is_an_opaque_key_always_the_same",
            "tests/sync/test_confirming_people.py::test_a_refused_person_whose_id_is_a_login_is_told_by_an_opaque_key",
            "tests/scenarios/test_personal_ids.py::test_nothing_that_others_may_read_names_anybody",
        ),
    ),
    Mutation(
        "reserved-sent",
        "kanOverforesTilLms is not looked at",
        "plugins/rosterflow/domain/mapping/people_users.py",
        "elif person.er_dod or person.kan_overfores is False:",
        "elif person.er_dod:",
        reds=(
            "tests/domain/test_mapping_people_users.py::test_a_reserved_person_is_never_sent",
            "tests/scenarios/test_people_users.py::test_who_is_reserved_from_the_start_is_never_sent",
            "tests/scenarios/test_people_users.py::test_who_is_reserved_is_suspended_and_comes_back_when_it_is_withdrawn",
        ),
    ),
    Mutation(
        "old-id-ignored",
        "somebody with the login of a user whom FS still has is taken for that user",
        "plugins/rosterflow/domain/mapping/people_users.py",
        "if user not in there and m[-1] != DELETED",
        "if m[-1] != DELETED",
        reds=("tests/domain/test_mapping_people_users.py::test_nobody_goes_by_another_id_while_fs_has_the_old_one",),
    ),
    Mutation(
        "new-ids-unfollowed",
        "rosters do not follow a user who got another id",
        "plugins/rosterflow/domain/confirmed.py",
        "            self._follow_users()\n",
        "            self._ids.clear()\n",
        reds=(
            "tests/domain/test_user_ids.py::test_whoever_gets_another_id_keeps_all_that_they_are_in",
            "tests/scenarios/test_changed_user_ids.py::test_who_goes_by_another_number_keeps_the_user_and_all",
        ),
    ),
)


def source_of(mutation: Mutation, root: Path = REPOSITORY) -> str:
    """The file that a mutation changes."""
    return (root / mutation.path).read_text(encoding="utf-8")


@contextmanager
def mutated(mutation: Mutation) -> Iterator[Path]:
    """A scratch copy of the repository with the mutation in it."""
    with tempfile.TemporaryDirectory(prefix="rosterflow-mutated-") as folder:
        copy = Path(folder)
        for name in COPIED:
            there = REPOSITORY / name
            if there.is_dir():
                shutil.copytree(there, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(there, copy / name)
        text = source_of(mutation, copy)
        if text.count(mutation.right) != 1:
            raise RuntimeError(f"{mutation.name} has no place in {mutation.path} any more.")
        (copy / mutation.path).write_text(text.replace(mutation.right, mutation.wrong), encoding="utf-8")
        yield copy


def reds_of(mutation: Mutation, tests: Sequence[str]) -> set[str]:
    """The tests among those that turn red under a mutation, as ``path::function``."""
    with mutated(mutation) as copy:
        command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", "-m", "not e2e"]
        path = os.pathsep.join(str(copy / name) for name in ("plugins", "include"))
        done = subprocess.run(
            [*command, *tests],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "1000"},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return set(re.findall(r"^(?:FAILED|ERROR) ([^\s:]+::\w+)", done.stdout, re.MULTILINE))


def table() -> str:
    """The mutations and their tests, as docs/proof.md has them."""
    lines = ["| mutation | what is broken | tests that turn red |", "|---|---|---|"]
    for one in MUTATIONS:
        tests = "<br>".join(f"`{name}` ({path.removeprefix('tests/')})" for path, _, name in map(_parts, one.reds))
        lines.append(f"| `{one.name}` | {one.what} | {tests} |")
    return "\n".join(lines)


def _parts(test: str) -> tuple[str, str, str]:
    return test.partition("::")


def main() -> None:
    """Run the mutations that are named, or all, and print what turned red."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="mutations; all by default")
    parser.add_argument(
        "--search", nargs="+", metavar="TESTS", help="run these tests, and not only those that are known"
    )
    parser.add_argument("--table", action="store_true", help="print the table of docs/proof.md and run nothing")
    given = parser.parse_intermixed_args()
    if given.table:
        print(table())
        return
    chosen = [one for one in MUTATIONS if not given.names or one.name in given.names]
    green = 0
    for mutation in chosen:
        reds = reds_of(mutation, given.search or mutation.reds)
        green += not reds
        print(f"{mutation.name}: {mutation.what}")
        print("".join(f"    {test}\n" for test in sorted(reds)) or "    NOTHING TURNED RED", flush=True)
    sys.exit(bool(green))


if __name__ == "__main__":
    main()
