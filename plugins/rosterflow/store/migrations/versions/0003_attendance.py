"""The tables of time attended: what was read, the ledger, and what Campus Cafe confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rosterflow.store.engine import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "attendance_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("school", sa.String(length=32), nullable=False),
        sa.Column("course_id", sa.String(length=120), nullable=False),
        sa.Column("session", sa.String(length=120), nullable=False),
        sa.Column("read_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("raw", sa.Integer(), nullable=False, comment="the read, in attendance_raw; 0 when it was not kept"),
        sa.Column("body", sa.Text(), nullable=False, comment="what it did to facts of the session, as JSON arrays"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_change")),
    )
    op.create_index(
        op.f("ix_attendance_change_institution_school_course_id"),
        "attendance_change",
        ["institution", "school", "course_id"],
        unique=False,
    )
    op.create_table(
        "attendance_coverage",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("school", sa.String(length=32), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("covered_at", UtcDateTime(timezone=True), nullable=False, comment="when the day was last read whole"),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("institution", "school", "on", name=op.f("pk_attendance_coverage")),
    )
    op.create_table(
        "attendance_due",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("on", sa.Date(), nullable=False, comment="a day of which something changed and is not written yet"),
        sa.Column("mark", sa.String(length=32), nullable=False, comment="another one at each change"),
        sa.PrimaryKeyConstraint("institution", "on", name=op.f("pk_attendance_due")),
    )
    op.create_table(
        "attendance_last_date",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("semester", sa.String(length=16), nullable=False),
        sa.Column("course", sa.String(length=32), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("on", sa.Date(), nullable=True, comment="as it was last sent"),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("refusals", sa.Integer(), nullable=False, comment="in a row, of the same value"),
        sa.Column("again_on", sa.Date(), nullable=True, comment="the day on which a refused one is sent again"),
        sa.PrimaryKeyConstraint(
            "institution", "semester", "course", "section", "person", name=op.f("pk_attendance_last_date")
        ),
    )
    op.create_index(
        op.f("ix_attendance_last_date_institution_batch"),
        "attendance_last_date",
        ["institution", "batch"],
        unique=False,
    )
    op.create_table(
        "attendance_raw",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("alias", sa.String(length=16), nullable=False, comment="what the auth key is called"),
        sa.Column("school", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("read_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("pages", sa.JSON(), nullable=False, comment="number, blob, checksum, size and rows of each page"),
        sa.Column("gaps", sa.JSON(), nullable=False, comment="why it is not whole"),
        sa.Column("joined_at", UtcDateTime(timezone=True), nullable=True, comment="when it came into the ledger"),
        sa.Column(
            "joined_whole", sa.Boolean(), nullable=True, comment="whether what it does not have was taken to be gone"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_raw")),
    )
    op.create_index(op.f("ix_attendance_raw_institution_run"), "attendance_raw", ["institution", "run"], unique=False)
    op.create_index(
        op.f("ix_attendance_raw_institution_school_read_at"),
        "attendance_raw",
        ["institution", "school", "read_at"],
        unique=False,
    )
    op.create_table(
        "attendance_row",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("semester", sa.String(length=16), nullable=False),
        sa.Column("course", sa.String(length=32), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False, comment="as it was last sent"),
        sa.Column("minutes", sa.String(length=8), nullable=False, comment="decimal"),
        sa.Column("seconds", sa.Integer(), nullable=False, comment="of which hours and minutes were made"),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False, comment="of a refusal"),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False, comment="the call by which it was last sent"),
        sa.Column("place", sa.Integer(), nullable=False, comment="its place in that call"),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("refusals", sa.Integer(), nullable=False, comment="in a row, of the same value"),
        sa.Column("again_on", sa.Date(), nullable=True, comment="the day on which a refused one is sent again"),
        sa.PrimaryKeyConstraint(
            "institution", "semester", "course", "section", "person", "on", name=op.f("pk_attendance_row")
        ),
    )
    op.create_index(
        op.f("ix_attendance_row_institution_batch"), "attendance_row", ["institution", "batch"], unique=False
    )
    op.create_index(op.f("ix_attendance_row_institution_on"), "attendance_row", ["institution", "on"], unique=False)
    op.create_index(
        op.f("ix_attendance_row_institution_person"), "attendance_row", ["institution", "person"], unique=False
    )
    op.create_table(
        "attendance_session",
        sa.Column("institution", sa.String(length=31), nullable=False),
        sa.Column("school", sa.String(length=32), nullable=False),
        sa.Column("course_id", sa.String(length=120), nullable=False, comment="CourseKey's"),
        sa.Column("session", sa.String(length=120), nullable=False),
        sa.Column(
            "first_window", sa.Date(), nullable=False, comment="first of the days by which the export gave its facts"
        ),
        sa.Column("last_window", sa.Date(), nullable=False),
        sa.Column(
            "digest",
            sa.String(length=32),
            nullable=False,
            comment="of its records; empty when they must be looked at again",
        ),
        sa.Column("booked", sa.Integer(), nullable=False, comment="how many of its facts are not void"),
        sa.Column("seconds", sa.Integer(), nullable=False, comment="booked in all"),
        sa.Column("body", sa.Text(), nullable=False, comment="its facts as JSON arrays"),
        sa.PrimaryKeyConstraint("institution", "school", "course_id", "session", name=op.f("pk_attendance_session")),
    )
    op.create_index(
        op.f("ix_attendance_session_institution_last_window"),
        "attendance_session",
        ["institution", "last_window"],
        unique=False,
    )
    op.create_index(
        op.f("ix_attendance_session_institution_school_last_window"),
        "attendance_session",
        ["institution", "school", "last_window"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index(op.f("ix_attendance_session_institution_school_last_window"), table_name="attendance_session")
    op.drop_index(op.f("ix_attendance_session_institution_last_window"), table_name="attendance_session")
    op.drop_table("attendance_session")
    op.drop_index(op.f("ix_attendance_row_institution_person"), table_name="attendance_row")
    op.drop_index(op.f("ix_attendance_row_institution_on"), table_name="attendance_row")
    op.drop_index(op.f("ix_attendance_row_institution_batch"), table_name="attendance_row")
    op.drop_table("attendance_row")
    op.drop_index(op.f("ix_attendance_raw_institution_school_read_at"), table_name="attendance_raw")
    op.drop_index(op.f("ix_attendance_raw_institution_run"), table_name="attendance_raw")
    op.drop_table("attendance_raw")
    op.drop_index(op.f("ix_attendance_last_date_institution_batch"), table_name="attendance_last_date")
    op.drop_table("attendance_last_date")
    op.drop_table("attendance_due")
    op.drop_table("attendance_coverage")
    op.drop_index(op.f("ix_attendance_change_institution_school_course_id"), table_name="attendance_change")
    op.drop_table("attendance_change")
