"""Foundation of the store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rosterflow.store.engine import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("actor", sa.String(length=250), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("approval_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_institution_at"), "audit", ["institution", "at"], unique=False)
    op.create_table(
        "canvas_object",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sis_id", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="the whole object as JSON, by the names of its fields"),
        sa.Column(
            "owned_by_canvas", sa.Text(), nullable=False, comment="fields people changed in Canvas, space-separated"
        ),
        sa.Column("confirmed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("institution", "kind", "sis_id", name=op.f("pk_canvas_object")),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.String(length=31), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret")),
    )
    op.create_table(
        "closed_course",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("sis_id", sa.String(length=255), nullable=False),
        sa.Column(
            "was_published",
            sa.Boolean(),
            nullable=False,
            comment="whether it was published when we closed or hid it",
        ),
        sa.Column("is_reopening", sa.Boolean(), nullable=False, comment="whether we have begun to re-open it"),
        sa.PrimaryKeyConstraint("institution", "sis_id", name=op.f("pk_closed_course")),
    )
    op.create_table(
        "ended_roster",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sis_id", sa.String(length=255), nullable=False),
        sa.Column(
            "body",
            sa.Text(),
            nullable=False,
            comment="who ended with the place that the plan ended, as they were before",
        ),
        sa.PrimaryKeyConstraint("institution", "plan_id", "kind", "sis_id", name=op.f("pk_ended_roster")),
    )
    op.create_table(
        "person_number",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("user", sa.String(length=31), nullable=False, comment="opaque key"),
        sa.Column("number", sa.String(length=31), nullable=False, comment="personlopenummer"),
        sa.PrimaryKeyConstraint("institution", "user", name=op.f("pk_person_number")),
    )
    op.create_table(
        "undone",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sis_id", sa.String(length=255), nullable=False),
        sa.Column(
            "part", sa.String(length=255), nullable=False, comment="of a roster, which of the plan's changes of it"
        ),
        sa.Column("plan_id", sa.Integer(), nullable=False, comment="the plan that undid it"),
        sa.Column("was", sa.Text(), nullable=False, comment="as it was before the undo, as JSON; users sealed"),
        sa.Column("became", sa.Text(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False, comment="local date"),
        sa.Column("because", sa.Text(), nullable=False, comment="the reason of the person who undid it"),
        sa.PrimaryKeyConstraint("institution", "kind", "sis_id", "part", "plan_id", name=op.f("pk_undone")),
    )
    op.create_table(
        "decision",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("sis_id", sa.String(length=255), nullable=True),
        sa.Column("since_run", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("institution", "source", "subject", "rule", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_institution_sis_id"), "decision", ["institution", "sis_id"], unique=False)
    op.create_table(
        "digest",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False, comment="local date"),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False, comment="false when there was nothing to say"),
        sa.PrimaryKeyConstraint("institution", "day", name=op.f("pk_digest")),
    )
    op.create_table(
        "history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sis_id", sa.String(length=255), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
    )
    op.create_index(op.f("ix_history_at"), "history", ["at"], unique=False)
    op.create_index(op.f("ix_history_institution_sis_id"), "history", ["institution", "sis_id"], unique=False)
    op.create_table(
        "institution",
        sa.Column("key", sa.String(length=31), nullable=False),
        sa.Column(
            "based_at",
            UtcDateTime(timezone=True),
            nullable=True,
            comment="when the base was taken from Canvas; null before first contact",
        ),
        sa.Column(
            "contacted_at",
            UtcDateTime(timezone=True),
            nullable=True,
            comment="when the first plan was approved; until then everything is held",
        ),
        sa.Column("complete_at", UtcDateTime(timezone=True), nullable=True, comment="end of the last complete run"),
        sa.Column("first_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("silence_mailed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "canvas",
            sa.String(length=255),
            nullable=True,
            comment="address and uuid of the Canvas that what is confirmed is true of",
        ),
        sa.Column(
            "account", sa.String(length=255), nullable=True, comment="SIS id of the institution's own account there"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_institution")),
    )
    op.create_table(
        "notice",
        sa.Column(
            "topic", sa.String(length=200), nullable=False, comment="what was told: settings:<file>, unplanned:<run id>"
        ),
        sa.Column(
            "content",
            sa.String(length=64),
            nullable=False,
            comment="a digest of what was told, so that news is told at once",
        ),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_notice")),
    )
    op.create_table(
        "refusal",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sis_id", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("institution", "kind", "sis_id", name=op.f("pk_refusal")),
    )
    op.create_table(
        "roster",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sis_id", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="who is in it, as JSON; users sealed"),
        sa.Column("active", sa.Integer(), nullable=False, comment="how many have what it gives"),
        sa.Column("confirmed_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("institution", "kind", "sis_id", name=op.f("pk_roster")),
    )
    op.create_table(
        "row_error",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False, comment="source or canvas"),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column(
            "sealed",
            sa.Text(),
            nullable=True,
            comment="the far side's full words, where the message leaves out personal data",
        ),
        sa.Column("first_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("gone_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("institution", "side", "subject", "code", name=op.f("pk_row_error")),
    )
    op.create_index(op.f("ix_row_error_institution_gone_at"), "row_error", ["institution", "gone_at"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("dag_id", sa.String(length=250), nullable=False),
        sa.Column("dag_run_id", sa.String(length=250), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=True),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("dag_id", "dag_run_id", name=op.f("uq_run_dag_id_dag_run_id")),
    )
    op.create_index(op.f("ix_run_institution_started_at"), "run", ["institution", "started_at"], unique=False)
    op.create_table(
        "task_failure",
        sa.Column("dag_id", sa.String(length=250), nullable=False),
        sa.Column("dag_run_id", sa.String(length=250), nullable=False),
        sa.Column("task_id", sa.String(length=250), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("try_number", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("dag_id", "dag_run_id", "task_id", name=op.f("pk_task_failure")),
    )
    op.create_table(
        "writer_lease",
        sa.Column("root", sa.String(length=120), nullable=False),
        sa.Column("holder", sa.String(length=250), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("root", name=op.f("pk_writer_lease")),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("first_contact", sa.Boolean(), nullable=False),
        sa.Column("unchanged", sa.JSON(), nullable=False),
        sa.Column("made_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_plan_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_institution_made_at"), "plan", ["institution", "made_at"], unique=False)
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("two_person", sa.Boolean(), nullable=False),
        sa.Column("first_contact", sa.Boolean(), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_approval_plan_id_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index(op.f("ix_approval_institution_state"), "approval", ["institution", "state"], unique=False)
    op.create_table(
        "plan_change",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("sis_id", sa.String(length=255), nullable=False),
        sa.Column(
            "part",
            sa.String(length=255),
            nullable=False,
            comment="of a roster, why these people; not in its text",
        ),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False, comment="how many people, or 1 for an object"),
        sa.Column("refused", sa.Integer(), nullable=False, comment="how many of them Canvas refused"),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("guard_rule", sa.String(length=64), nullable=True),
        sa.Column("guard_reason", sa.Text(), nullable=True),
        sa.Column("approval_id", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name=op.f("fk_plan_change_approval_id_approval")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_change_plan_id_plan")),
        sa.PrimaryKeyConstraint("plan_id", "seq", name=op.f("pk_plan_change")),
    )
    op.create_index(op.f("ix_plan_change_approval_id"), "plan_change", ["approval_id"], unique=False)
    op.create_index(op.f("ix_plan_change_plan_id_state"), "plan_change", ["plan_id", "state"], unique=False)
    op.create_table(
        "sis_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("root", sa.String(length=120), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("approval_id", sa.Integer(), nullable=True),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False, comment="file name -> seq and user of each of its rows"),
        sa.Column("blob", sa.String(length=255), nullable=True, comment="where the zip is kept"),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("canvas_id", sa.String(length=32), nullable=True),
        sa.Column(
            "trusted",
            sa.Boolean(),
            nullable=True,
            comment="whether every row that Canvas did not complain about was carried out",
        ),
        sa.Column("prepared_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("posting_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name=op.f("fk_sis_import_approval_id_approval")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_sis_import_plan_id_plan")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_sis_import_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sis_import")),
    )
    op.create_index(op.f("ix_sis_import_root_state"), "sis_import", ["root", "state"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index(op.f("ix_sis_import_root_state"), table_name="sis_import")
    op.drop_table("sis_import")
    op.drop_index(op.f("ix_plan_change_plan_id_state"), table_name="plan_change")
    op.drop_index(op.f("ix_plan_change_approval_id"), table_name="plan_change")
    op.drop_table("plan_change")
    op.drop_index(op.f("ix_approval_institution_state"), table_name="approval")
    op.drop_table("approval")
    op.drop_index(op.f("ix_plan_institution_made_at"), table_name="plan")
    op.drop_table("plan")
    op.drop_table("writer_lease")
    op.drop_table("task_failure")
    op.drop_index(op.f("ix_run_institution_started_at"), table_name="run")
    op.drop_table("run")
    op.drop_index(op.f("ix_row_error_institution_gone_at"), table_name="row_error")
    op.drop_table("row_error")
    op.drop_table("roster")
    op.drop_table("refusal")
    op.drop_table("notice")
    op.drop_table("institution")
    op.drop_index(op.f("ix_history_institution_sis_id"), table_name="history")
    op.drop_index(op.f("ix_history_at"), table_name="history")
    op.drop_table("history")
    op.drop_table("digest")
    op.drop_index(op.f("ix_decision_institution_sis_id"), table_name="decision")
    op.drop_table("decision")
    op.drop_table("undone")
    op.drop_table("person_number")
    op.drop_table("ended_roster")
    op.drop_table("closed_course")
    op.drop_table("secret")
    op.drop_table("canvas_object")
    op.drop_index(op.f("ix_audit_institution_at"), table_name="audit")
    op.drop_table("audit")
