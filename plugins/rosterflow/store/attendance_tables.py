"""The tables of time attended: what was read, the ledger made of it, and what Campus Cafe confirmed.

``migrations/versions`` makes them; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Date, Index, Integer, String, Table, Text

from rosterflow.store.engine import UtcDateTime
from rosterflow.store.tables import metadata

attendance_raw = Table(
    "attendance_raw",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("institution", String(31), nullable=False),
    Column("run", Integer, nullable=False),
    Column("alias", String(16), nullable=False, comment="what the auth key is called"),
    Column("school", String(32), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("pages", JSON, nullable=False, comment="number, blob, checksum, size and rows of each page"),
    Column("gaps", JSON, nullable=False, comment="why it is not whole"),
    Column("joined_at", UtcDateTime, comment="when it came into the ledger"),
    Column("joined_whole", Boolean, comment="whether what it does not have was taken to be gone"),
    Index(None, "institution", "run"),
    Index(None, "institution", "school", "read_at"),
)

attendance_session = Table(
    "attendance_session",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("school", String(32), primary_key=True),
    Column("course_id", String(120), primary_key=True, comment="CourseKey's"),
    Column("session", String(120), primary_key=True),
    Column("first_window", Date, nullable=False, comment="first of the days by which the export gave its facts"),
    Column("last_window", Date, nullable=False),
    Column("digest", String(32), nullable=False, comment="of its records; empty when they must be looked at again"),
    Column("booked", Integer, nullable=False, comment="how many of its facts are not void"),
    Column("seconds", Integer, nullable=False, comment="booked in all"),
    Column("body", Text, nullable=False, comment="its facts as JSON arrays"),
    Index(None, "institution", "school", "last_window"),
    Index(None, "institution", "last_window"),
)

attendance_coverage = Table(
    "attendance_coverage",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("school", String(32), primary_key=True),
    Column("on", Date, primary_key=True),
    Column("covered_at", UtcDateTime, nullable=False, comment="when the day was last read whole"),
    Column("run", Integer, nullable=False),
)

attendance_change = Table(
    "attendance_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("institution", String(31), nullable=False),
    Column("run", Integer, nullable=False),
    Column("school", String(32), nullable=False),
    Column("course_id", String(120), nullable=False),
    Column("session", String(120), nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
    Column("raw", Integer, nullable=False, comment="the read, in attendance_raw; 0 when it was not kept"),
    Column("body", Text, nullable=False, comment="what it did to facts of the session, as JSON arrays"),
    Index(None, "institution", "school", "course_id"),
)

attendance_due = Table(
    "attendance_due",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("on", Date, primary_key=True, comment="a day of which something changed and is not written yet"),
    Column("mark", String(32), nullable=False, comment="another one at each change"),
)

attendance_row = Table(
    "attendance_row",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("semester", String(16), primary_key=True),
    Column("course", String(32), primary_key=True),
    Column("section", String(16), primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("on", Date, primary_key=True),
    Column("hours", Integer, nullable=False, comment="as it was last sent"),
    Column("minutes", String(8), nullable=False, comment="decimal"),
    Column("seconds", Integer, nullable=False, comment="of which hours and minutes were made"),
    Column("state", String(16), nullable=False),
    Column("code", String(32), nullable=False, comment="of a refusal"),
    Column("message", Text, nullable=False),
    Column("batch", String(64), nullable=False, comment="the call by which it was last sent"),
    Column("place", Integer, nullable=False, comment="its place in that call"),
    Column("run", Integer, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("refusals", Integer, nullable=False, comment="in a row, of the same value"),
    Column("again_on", Date, comment="the day on which a refused one is sent again"),
    Index(None, "institution", "on"),
    Index(None, "institution", "person"),
    Index(None, "institution", "batch"),
)

attendance_last_date = Table(
    "attendance_last_date",
    metadata,
    Column("institution", String(31), primary_key=True),
    Column("semester", String(16), primary_key=True),
    Column("course", String(32), primary_key=True),
    Column("section", String(16), primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("on", Date, comment="as it was last sent"),
    Column("state", String(16), nullable=False),
    Column("code", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("batch", String(64), nullable=False),
    Column("place", Integer, nullable=False),
    Column("run", Integer, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("refusals", Integer, nullable=False, comment="in a row, of the same value"),
    Column("again_on", Date, comment="the day on which a refused one is sent again"),
    Index(None, "institution", "batch"),
)
