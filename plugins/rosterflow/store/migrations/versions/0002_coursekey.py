"""The tables of a college: Campus Cafe, the queue, and what is known of CourseKey."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rosterflow.store.engine import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "campus_cursor",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("resource", sa.String(length=16), nullable=False),
        sa.Column(
            "read_to",
            UtcDateTime(timezone=True),
            nullable=True,
            comment="the newest change that was read, by Campus Cafe's clock",
        ),
        sa.Column("compared_at", UtcDateTime(timezone=True), nullable=True, comment="when everything was last read"),
        sa.Column(
            "tried_at",
            UtcDateTime(timezone=True),
            nullable=True,
            comment="when that was last tried, whether or not it was whole",
        ),
        sa.PrimaryKeyConstraint("institution", "resource", name=op.f("pk_campus_cursor")),
    )
    op.create_table(
        "campus_record",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("resource", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False, comment="the parts of its name, joined by a slash"),
        sa.Column("semester", sa.String(length=16), nullable=False),
        sa.Column("course", sa.String(length=32), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column(
            "active",
            sa.Boolean(),
            nullable=False,
            comment="of staff and registrations: whether the person is to be there",
        ),
        sa.Column(
            "body", sa.Text(), nullable=False, comment="the record as JSON, by the names of its fields; persons sealed"
        ),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=False, comment="when it last changed, as we read it"),
        sa.Column("gone_at", UtcDateTime(timezone=True), nullable=True, comment="when a whole read no longer had it"),
        sa.PrimaryKeyConstraint("institution", "resource", "key", name=op.f("pk_campus_record")),
    )
    op.create_index(
        op.f("ix_campus_record_institution_resource_person"),
        "campus_record",
        ["institution", "resource", "person"],
        unique=False,
    )
    op.create_index(
        op.f("ix_campus_record_institution_resource_semester_course_section"),
        "campus_record",
        ["institution", "resource", "semester", "course", "section"],
        unique=False,
    )
    op.create_table(
        "coursekey_map",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("school", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=150), nullable=False, comment="section, person and slot, joined by a slash"),
        sa.Column("semester", sa.String(length=16), nullable=False),
        sa.Column("course", sa.String(length=32), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("slot", sa.String(length=40), nullable=False, comment="of a session: when it begins"),
        sa.Column("remote_id", sa.String(length=120), nullable=False),
        sa.Column("join_code", sa.String(length=120), nullable=False),
        sa.Column(
            "sealed", sa.Text(), nullable=True, comment="personal data that is needed again, such as the e-mail address"
        ),
        sa.Column("fingerprint", sa.String(length=64), nullable=False, comment="of what was last sent"),
        sa.Column("created_by_us", sa.Boolean(), nullable=False),
        sa.Column("first_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("institution", "school", "kind", "key", name=op.f("pk_coursekey_map")),
    )
    op.create_index(
        op.f("ix_coursekey_map_institution_person"), "coursekey_map", ["institution", "person"], unique=False
    )
    op.create_index(
        op.f("ix_coursekey_map_institution_school_kind_remote_id"),
        "coursekey_map",
        ["institution", "school", "kind", "remote_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_coursekey_map_institution_semester_course_section"),
        "coursekey_map",
        ["institution", "semester", "course", "section"],
        unique=False,
    )
    op.create_table(
        "queue_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("api_name", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("semester", sa.String(length=16), nullable=False),
        sa.Column("course", sa.String(length=32), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column(
            "at_site",
            sa.String(length=32),
            nullable=False,
            comment="the course site whose auth key it needs; empty: any",
        ),
        sa.Column("intent", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("error_code", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False, comment="grows with each change of what it is about"),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.String(length=250), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("due_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=250), nullable=False, comment="who processes it; empty when nobody does"),
        sa.Column("leased_until", UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_entry")),
        sa.UniqueConstraint(
            "institution",
            "api_name",
            "kind",
            "semester",
            "course",
            "section",
            "person",
            "site",
            name="uq_queue_entry_entity",
        ),
    )
    op.create_index(op.f("ix_queue_entry_institution_person"), "queue_entry", ["institution", "person"], unique=False)
    op.create_index(
        "ix_queue_entry_next", "queue_entry", ["institution", "api_name", "state", "due_at", "id"], unique=False
    )
    op.create_index(
        "ix_queue_entry_next_at_site",
        "queue_entry",
        ["institution", "api_name", "at_site", "state", "due_at", "id"],
        unique=False,
    )
    op.create_table(
        "queue_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("api_name", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("semester", sa.String(length=16), nullable=False),
        sa.Column("course", sa.String(length=32), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("intent", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("error_code", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=250), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_history")),
    )
    op.create_index(op.f("ix_queue_history_institution_at"), "queue_history", ["institution", "at"], unique=False)
    op.create_index(
        op.f("ix_queue_history_institution_person"), "queue_history", ["institution", "person"], unique=False
    )
    op.create_index(
        op.f("ix_queue_history_institution_semester_course_section"),
        "queue_history",
        ["institution", "semester", "course", "section"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index(op.f("ix_queue_history_institution_semester_course_section"), table_name="queue_history")
    op.drop_index(op.f("ix_queue_history_institution_person"), table_name="queue_history")
    op.drop_index(op.f("ix_queue_history_institution_at"), table_name="queue_history")
    op.drop_table("queue_history")
    op.drop_index("ix_queue_entry_next_at_site", table_name="queue_entry")
    op.drop_index("ix_queue_entry_next", table_name="queue_entry")
    op.drop_index(op.f("ix_queue_entry_institution_person"), table_name="queue_entry")
    op.drop_table("queue_entry")
    op.drop_index(op.f("ix_coursekey_map_institution_semester_course_section"), table_name="coursekey_map")
    op.drop_index(op.f("ix_coursekey_map_institution_school_kind_remote_id"), table_name="coursekey_map")
    op.drop_index(op.f("ix_coursekey_map_institution_person"), table_name="coursekey_map")
    op.drop_table("coursekey_map")
    op.drop_index(op.f("ix_campus_record_institution_resource_semester_course_section"), table_name="campus_record")
    op.drop_index(op.f("ix_campus_record_institution_resource_person"), table_name="campus_record")
    op.drop_table("campus_record")
    op.drop_table("campus_cursor")
