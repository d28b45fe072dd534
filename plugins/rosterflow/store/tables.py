"""The tables of the store. ``migrations/versions`` makes them; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from rosterflow.store.engine import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

institution = Table(
    "institution",
    metadata,
    Column("key", String(31), primary_key=True),
    Column("based_at", UtcDateTime, comment="when the base was taken from Canvas; null before first contact"),
    Column("contacted_at", UtcDateTime, comment="when the first plan was approved; until then everything is held"),
    Column("complete_at", UtcDateTime, comment="end of the last complete run"),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("silence_mailed_at", UtcDateTime),
    Column("canvas", String(255), comment="address and uuid of the Canvas that what is confirmed is true of"),
    Column("account", String(255), comment="SIS id of the institution's own account there"),
)

secret = Table(
    "secret",
    metadata,
    Column("name", String(31), primary_key=True),
    Column("sealed", Text, nullable=False),
)

person_number = Table(
    "person_number",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("user", String(31), primary_key=True, comment="opaque key"),
    Column("number", String(31), nullable=False, comment="personlopenummer"),
)

canvas_object = Table(
    "canvas_object",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("sis_id", String(255), primary_key=True),
    Column("body", Text, nullable=False, comment="the whole object as JSON, by the names of its fields"),
    Column("owned_by_canvas", Text, nullable=False, comment="fields people changed in Canvas, space-separated"),
    Column("confirmed_at", UtcDateTime, nullable=False),
    Column("run_id", Integer),
)

roster = Table(
    "roster",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("sis_id", String(255), primary_key=True),
    Column("body", Text, nullable=False, comment="who is in it, as JSON; users sealed"),
    Column("active", Integer, nullable=False, comment="how many have what it gives"),
    Column("confirmed_at", UtcDateTime, nullable=False),
)

ended_roster = Table(
    "ended_roster",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("plan_id", Integer, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("sis_id", String(255), primary_key=True),
    Column("body", Text, nullable=False, comment="who ended with the place that the plan ended, as they were before"),
)

undone = Table(
    "undone",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("sis_id", String(255), primary_key=True),
    Column("part", String(255), primary_key=True, comment="of a roster, which of the plan's changes of it"),
    Column("plan_id", Integer, primary_key=True, comment="the plan that undid it"),
    Column("was", Text, nullable=False, comment="as it was before the undo, as JSON; users sealed"),
    Column("became", Text, nullable=False),
    Column("day", String(10), nullable=False, comment="local date"),
    Column("because", Text, nullable=False, comment="the reason of the person who undid it"),
)

closed_course = Table(
    "closed_course",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("sis_id", String(255), primary_key=True),
    Column("was_published", Boolean, nullable=False, comment="whether it was published when we closed or hid it"),
    Column("is_reopening", Boolean, nullable=False, comment="whether we have begun to re-open it"),
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("institution", String(31), nullable=False),
    Column("dag_id", String(250), nullable=False),
    Column("dag_run_id", String(250), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("scope", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("fence", Integer),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("complete", Boolean),
    Column("counts", JSON, nullable=False),
    UniqueConstraint("dag_id", "dag_run_id"),
    Index(None, "institution", "started_at"),
)

plan = Table(
    "plan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("institution", String(31), nullable=False),
    Column("run_id", Integer, ForeignKey("run.id"), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("first_contact", Boolean, nullable=False),
    Column("unchanged", JSON, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Index(None, "institution", "made_at"),
)

approval = Table(
    "approval",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("institution", String(31), nullable=False),
    Column("plan_id", Integer, ForeignKey("plan.id"), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("two_person", Boolean, nullable=False),
    Column("first_contact", Boolean, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Index(None, "institution", "state"),
)

plan_change = Table(
    "plan_change",
    metadata,
    Column("plan_id", Integer, ForeignKey("plan.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("action", String(16), nullable=False),
    Column("sis_id", String(255), nullable=False),
    Column("part", String(255), nullable=False, comment="of a roster, why these people; not in its text"),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Column("rule", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("fingerprint", String(32), nullable=False),
    Column("weight", Integer, nullable=False, comment="how many people, or 1 for an object"),
    Column("refused", Integer, nullable=False, comment="how many of them Canvas refused"),
    Column("state", String(16), nullable=False),
    Column("guard_rule", String(64)),
    Column("guard_reason", Text),
    Column("approval_id", Integer, ForeignKey("approval.id")),
    Column("message", Text),
    Index(None, "approval_id"),
    Index(None, "plan_id", "state"),
)

sis_import = Table(
    "sis_import",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("institution", String(31), nullable=False),
    Column("root", String(120), nullable=False),
    Column("run_id", Integer, ForeignKey("run.id"), nullable=False),
    Column("plan_id", Integer, ForeignKey("plan.id"), nullable=False),
    Column("approval_id", Integer, ForeignKey("approval.id")),
    Column("part", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("rows", JSON, nullable=False, comment="file name -> seq and user of each of its rows"),
    Column("blob", String(255), comment="where the zip is kept"),
    Column("sha256", String(64), nullable=False),
    Column("canvas_id", String(32)),
    Column("trusted", Boolean, comment="whether every row that Canvas did not complain about was carried out"),
    Column("prepared_at", UtcDateTime, nullable=False),
    Column("posting_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Index(None, "root", "state"),
)

writer_lease = Table(
    "writer_lease",
    metadata,
    Column("root", String(120), primary_key=True),
    Column("holder", String(250), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

refusal = Table(
    "refusal",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("sis_id", String(255), primary_key=True),
    Column("fingerprint", String(32), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
)

row_error = Table(
    "row_error",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("side", String(8), primary_key=True, comment="source or canvas"),
    Column("subject", Text, primary_key=True),
    Column("code", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("field", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("sealed", Text, comment="the far side's full words, where the message leaves out personal data"),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("gone_at", UtcDateTime),
    Index(None, "institution", "gone_at"),
)

decision = Table(
    "decision",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("source", String(32), primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("rule", String(64), primary_key=True),
    Column("allowed", Boolean, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("kind", String(16)),
    Column("sis_id", String(255)),
    Column("since_run", Integer, nullable=False),
    Index(None, "institution", "sis_id"),
)

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("institution", String(31), nullable=False),
    Column("run_id", Integer),
    Column("plan_id", Integer),
    Column("kind", String(16), nullable=False),
    Column("sis_id", String(255), nullable=False),
    Column("event", String(32), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "institution", "sis_id"),
    Index(None, "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("institution", String(31), nullable=False),
    Column("actor", String(250), nullable=False),
    Column("act", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("approval_id", Integer),
    Column("detail", Text, nullable=False),
    Index(None, "institution", "at"),
)

task_failure = Table(
    "task_failure",
    metadata,
    Column("dag_id", String(250), primary_key=True),
    Column("dag_run_id", String(250), primary_key=True),
    Column("task_id", String(250), primary_key=True),
    Column("code", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("try_number", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

digest = Table(
    "digest",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("day", String(10), primary_key=True, comment="local date"),
    Column("at", UtcDateTime, nullable=False),
    Column("sent", Boolean, nullable=False, comment="false when there was nothing to say"),
)

notice = Table(
    "notice",
    metadata,
    Column("topic", String(200), primary_key=True, comment="what was told: settings:<file>, unplanned:<run id>"),
    Column("content", String(64), nullable=False, comment="a digest of what was told, so that news is told at once"),
    Column("at", UtcDateTime, nullable=False),
)
