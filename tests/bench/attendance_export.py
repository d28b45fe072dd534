"""CourseKey's export with as many records as one asks for, served by a process of its own: its CPU is not ours."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

SCHOOL, ZONE = "548156", ZoneInfo("America/New_York")
FIRST, LAST = date(2026, 9, 1), date(2026, 9, 30)
DAYS = (LAST - FIRST).days + 1
PER_SESSION, PER_PAGE = 25, 1_000


def record(number: int) -> dict[str, Any]:
    """One record: sessions follow one another, and so do the days."""
    session, seat = divmod(number, PER_SESSION)
    course, day = divmod(session, DAYS)
    on = FIRST + timedelta(days=day)
    start = datetime.combine(on, time(8 + course % 12, 30), ZONE)
    come, leave = start + timedelta(seconds=number % 600), start + timedelta(seconds=5_400 - number % 900)
    stayed = int((leave - come).total_seconds())
    return {
        "recordID": f"R{number:08}",
        "schoolID": SCHOOL,
        "courseID": f"C{course:05}",
        "userID": f"U{course // 5:05}-{seat}",
        "issuedID": f"{200_000 + course // 5 * PER_SESSION + seat}",
        "sessionID": f"S{session:07}",
        "sessionDate": on.isoformat(),
        "startTime": start.isoformat(),
        "endTime": (start + timedelta(seconds=5_400)).isoformat(),
        "checkIn": come.isoformat(),
        "checkOut": leave.isoformat(),
        "timeAttended": stayed,
        "timeAwarded": stayed,
        "timeAvailable": 5_400,
        "isAsynchronous": False,
        "status": "complete",
        "lastActivity": None,
        "updatedAt": (start + timedelta(hours=2)).isoformat(),
        "isDeleted": False,
    }


def page(number: int, records: int) -> bytes:
    """One page, counted from 1, of so many records in all."""
    begin, end = (number - 1) * PER_PAGE, min(number * PER_PAGE, records)
    following = None if end == records else str(number + 1)
    return json.dumps({"data": [record(one) for one in range(begin, end)], "nextCursor": following}).encode()


@contextmanager
def serving(records: int) -> Iterator[str]:
    """An export of so many records; its address."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(records, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(records: int, parent: Connection) -> None:
    class Export(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            body = page(int(asked.get("cursor", ["1"])[0]), records)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Export) as server:
        parent.send(f"http://127.0.0.1:{server.server_port}")
        server.serve_forever()
