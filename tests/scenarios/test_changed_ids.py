"""A person says that what got another id is not the same."""

from __future__ import annotations

from rosterflow.domain.plan import Action
from rosterflow.store import decisions
from rosterflow.store.plans import ChangeState
from rosterflow.sync.approving import Answer
from tests.scenarios.college import GONE, College


def test_after_a_rejected_id_change_the_new_course_is_made_and_the_old_one_stays_for_good(synced: College) -> None:
    ue = synced.teaching()
    old = synced.course_of(ue)
    with synced.changing_fs():
        ue.emne.versjonskode = "99"
    new = synced.course_of(ue)
    synced.harness.run(days_later=1)
    synced.harness.approve(None, Answer("Reject", "another course, really", "kari"))

    done = synced.harness.run(days_later=1)

    changes = synced.harness.changes(done.plan_id)
    assert {(c.change.action, c.state) for c in changes} <= {
        (Action.CREATE, ChangeState.CONFIRMED),
        (Action.UPDATE, ChangeState.CONFIRMED),
    }
    assert (done.guarded.held, synced.harness.waiting()) == (0, [])
    for days in (1, 30):
        assert synced.harness.run(days_later=days).changes == 0
    assert synced.state_in_canvas(new) == "claimed"
    assert synced.state_in_canvas(old) not in GONE
    with synced.harness.store.begin() as connection:
        told = decisions.about(connection, synced.harness.institution.key, old.sis_id)
    assert {row.rule for row in told} == {"id-change-rejected"}
