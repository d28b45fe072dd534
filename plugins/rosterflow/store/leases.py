"""One writer at a time, per Canvas root account above all: a lease with a fencing number (design §2, apply).

Whoever writes holds the lease from plan to confirm. Its number grows with every new holder, so a writer that was asleep
while its lease ran out finds a larger number and stops.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.store.bulk import upsert
from rosterflow.store.tables import writer_lease as lease

BUSY_WAIT = 60.0
AHEAD = timedelta(days=1)
"""A lease that runs for so much longer than its term was granted by a clock that was ahead, and is over."""


def acquire(connection: Connection, root: str, holder: str, now: datetime, term: timedelta) -> int:
    """Take the lease, or renew it when it is held already.

    :param root: name of the Canvas root account, or of what else has one writer.
    :param term: for how long it is granted.
    :returns: the fencing number.
    :raises RetryableError: ``writer-busy`` when another holder's lease runs.
    """
    never = datetime.min.replace(tzinfo=now.tzinfo, year=1970)
    new = {"root": root, "holder": "", "fence": 0, "expires_at": never}
    upsert(connection, lease, [new], keep=("holder", "fence", "expires_at"))
    renewed = connection.execute(
        update(lease).where(lease.c.root == root, lease.c.holder == holder).values(expires_at=now + term)
    )
    if not renewed.rowcount:
        over = or_(lease.c.expires_at <= now, lease.c.expires_at > now + term + AHEAD)
        taken = connection.execute(
            update(lease)
            .where(lease.c.root == root, or_(over, lease.c.holder == ""))
            .values(holder=holder, fence=lease.c.fence + 1, expires_at=now + term)
        )
        if not taken.rowcount:
            other = connection.execute(select(lease.c.holder).where(lease.c.root == root)).scalar_one()
            raise RetryableError(Code.WRITER_BUSY, f"{other} writes to {_named(root)}.", retry_after=BUSY_WAIT)
    return int(connection.execute(select(lease.c.fence).where(lease.c.root == root)).scalar_one())


def verify(connection: Connection, root: str, holder: str, fence: int) -> None:
    """See that the lease is still held under the same number, and keep it from changing until the transaction ends.

    :raises RetryableError: ``writer-busy`` when somebody else took it over.
    """
    query = select(lease.c.holder, lease.c.fence).where(lease.c.root == root).with_for_update()
    row = connection.execute(query).first()
    if row is None or (row.holder, row.fence) != (holder, fence):
        raise RetryableError(
            Code.WRITER_BUSY, f"The lease on {_named(root)} went to another run.", retry_after=BUSY_WAIT
        )


def release(connection: Connection, root: str, holder: str) -> None:
    """Give the lease back; nothing happens when somebody else has it."""
    connection.execute(update(lease).where(lease.c.root == root, lease.c.holder == holder).values(holder=""))


def end(connection: Connection, root: str, holder: str) -> None:
    """Give the lease back and forget its number: for what is written to once, and nobody verifies."""
    connection.execute(delete(lease).where(lease.c.root == root, lease.c.holder == holder))


def _named(root: str) -> str:
    """What a lease is on, in words; what is no Canvas root account has its kind before a slash: attendance/harbor."""
    return root if "/" in root else f"the Canvas root account {root}"
