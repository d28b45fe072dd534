"""The tables of a college: what Campus Cafe says, the queue and its history, and what is known of CourseKey.

``migrations/versions`` makes them; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, Text, UniqueConstraint

from rosterflow.store.engine import UtcDateTime
from rosterflow.store.tables import metadata

campus_record = Table(
    "campus_record",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("resource", String(16), primary_key=True),
    Column("key", String(120), primary_key=True, comment="the parts of its name, joined by a slash"),
    Column("semester", String(16), nullable=False),
    Column("course", String(32), nullable=False),
    Column("section", String(16), nullable=False),
    Column("person", String(32), nullable=False),
    Column("active", Boolean, nullable=False, comment="of staff and registrations: whether the person is to be there"),
    Column("body", Text, nullable=False, comment="the record as JSON, by the names of its fields; persons sealed"),
    Column("fingerprint", String(32), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False, comment="when it last changed, as we read it"),
    Column("gone_at", UtcDateTime, comment="when a whole read no longer had it"),
    Index(None, "institution", "resource", "semester", "course", "section"),
    Index(None, "institution", "resource", "person"),
)

campus_cursor = Table(
    "campus_cursor",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("resource", String(16), primary_key=True),
    Column("read_to", UtcDateTime, comment="the newest change that was read, by Campus Cafe's clock"),
    Column("compared_at", UtcDateTime, comment="when everything was last read"),
    Column("tried_at", UtcDateTime, comment="when that was last tried, whether or not it was whole"),
)

queue_entry = Table(
    "queue_entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("institution", String(31), nullable=False),
    Column("api_name", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("semester", String(16), nullable=False),
    Column("course", String(32), nullable=False),
    Column("section", String(16), nullable=False),
    Column("person", String(32), nullable=False),
    Column("site", String(32), nullable=False),
    Column("at_site", String(32), nullable=False, comment="the course site whose auth key it needs; empty: any"),
    Column("intent", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("error_code", String(32), nullable=False),
    Column("generation", Integer, nullable=False, comment="grows with each change of what it is about"),
    Column("forced", Boolean, nullable=False),
    Column("asked_by", String(250), nullable=False),
    Column("opens_on", Date),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("holder", String(250), nullable=False, comment="who processes it; empty when nobody does"),
    Column("leased_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint(
        *("institution", "api_name", "kind", "semester", "course", "section", "person", "site"),
        name="uq_queue_entry_entity",
    ),
    Index("ix_queue_entry_next", "institution", "api_name", "state", "due_at", "id"),
    Index("ix_queue_entry_next_at_site", "institution", "api_name", "at_site", "state", "due_at", "id"),
    Index(None, "institution", "person"),
)

queue_history = Table(
    "queue_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("institution", String(31), nullable=False),
    Column("api_name", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("semester", String(16), nullable=False),
    Column("course", String(32), nullable=False),
    Column("section", String(16), nullable=False),
    Column("person", String(32), nullable=False),
    Column("site", String(32), nullable=False),
    Column("intent", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("error_code", String(32), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("by", String(250), nullable=False),
    Index(None, "institution", "at"),
    Index(None, "institution", "semester", "course", "section"),
    Index(None, "institution", "person"),
)

coursekey_map = Table(
    "coursekey_map",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("school", String(32), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("key", String(150), primary_key=True, comment="section, person and slot, joined by a slash"),
    Column("semester", String(16), nullable=False),
    Column("course", String(32), nullable=False),
    Column("section", String(16), nullable=False),
    Column("person", String(32), nullable=False),
    Column("slot", String(40), nullable=False, comment="of a session: when it begins"),
    Column("remote_id", String(120), nullable=False),
    Column("join_code", String(120), nullable=False),
    Column("sealed", Text, comment="personal data that is needed again, such as the e-mail address"),
    Column("fingerprint", String(64), nullable=False, comment="of what was last sent"),
    Column("created_by_us", Boolean, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Index(None, "institution", "semester", "course", "section"),
    Index(None, "institution", "person"),
    Index(None, "institution", "school", "kind", "remote_id"),
)
