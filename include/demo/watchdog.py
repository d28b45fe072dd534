"""``python -m demo.watchdog``: ends the children of a process that was killed before it could do so itself.

A signal on the parent's death (``PR_SET_PDEATHSIG``) would reach only the direct children, and only on Linux. This
process instead holds the reading end of a pipe: the parent tells it which sessions it starts and ends
(``start <pid> <signal>``, ``end <pid>``), and the end of the pipe, which the kernel guarantees however the parent dies,
is the order to end what is left.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable

from demo.sessions import Session, end

GRACE_SECONDS = 8.0


def left_running(lines: Iterable[str]) -> list[Session]:
    """Read the parent's messages to the end and return the sessions it did not end, the youngest first."""
    sessions: dict[int, Session] = {}
    for line in lines:
        verb, pid, *rest = line.split()
        if verb == "start":
            sessions[int(pid)] = Session(int(pid), int(rest[0]))
        else:
            sessions.pop(int(pid), None)
    return list(reversed(sessions.values()))


if __name__ == "__main__":
    # A closing terminal signals every process it knows; this one has to be the last to go.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    end(left_running(sys.stdin), GRACE_SECONDS)
