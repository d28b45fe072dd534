"""Faults on demand: what a person asked the sandbox to do wrong.

A fault names a target (a service) and a kind. The kinds of ``HTTP_KINDS`` strike any request to that service
and are done by :mod:`sandbox.http_faults`; the others are asked for by the services themselves, with
:meth:`Faults.take`, at the place they concern.
"""

from __future__ import annotations

import math
import random
import threading
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

HTTP_KINDS = (
    "latency",
    "slow_answer",
    "timeout",
    "429",
    "500",
    "502",
    "503",
    "html",
    "truncate",
    "drop_before",
    "drop_after",
    "unauthorized",
    "skew",
)

KINDS: dict[str, tuple[str, ...]] = {
    "fs": (
        *HTTP_KINDS,
        "partial_error",
        "errors_only",
        "repeated_cursor",
        "drop_page",
        "null_node",
        "no_page_info",
        "total_count_high",
        "total_count_null",
        "bigger_page",
        "null_list",
        "no_person_access",
    ),
    "canvas": (*HTTP_KINDS, "slow_import", "abort_import", "fail_import", "expired_token"),
    "campuscafe": (
        *HTTP_KINDS,
        "drop_page",
        "repeated_page",
        "empty_list",
        "null_row",
        "broken_row",
        "total_high",
        "short_results",
    ),
    "coursekey": (*HTTP_KINDS, "400", "403", "404", "408", "409", "422", "425", "success_false"),
    "coursekey-export": (
        *HTTP_KINDS,
        "overlap",
        "drop_page",
        "empty_list",
        "null_row",
        "broken_row",
        "repeated_cursor",
    ),
    "mail": ("refuse",),
}
"""What can be asked for, by target."""


class InvalidFault(ValueError):
    """A fault that cannot be armed; the message is a sentence that names the field and what is allowed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to go wrong.

    ``match`` must be found in what the service says about the call (for HTTP kinds ``METHOD path?query`` and,
    on the next line, the body). The first ``after`` matching calls are spared; then each is struck with the
    probability ``rate``, ``count`` times in all (None: for ever). ``seconds`` is the length of a wait.
    """

    target: str
    kind: str
    rate: float = 1.0
    after: int = 0
    count: int | None = 1
    match: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what could never strike. Raises InvalidFault."""
        if self.target not in KINDS:
            raise InvalidFault(f"target must be one of {', '.join(KINDS)}, not {self.target!r}.")
        if self.kind not in KINDS[self.target]:
            allowed = ", ".join(KINDS[self.target])
            raise InvalidFault(f"kind must, for the target {self.target}, be one of {allowed}, not {self.kind!r}.")
        if not _is_number(self.rate) or not 0 < self.rate <= 1:
            raise InvalidFault(f"rate must be a number above 0 and at most 1, not {self.rate!r}.")
        if not _is_whole(self.after) or self.after < 0:
            raise InvalidFault(f"after must be a whole number, 0 or more, not {self.after!r}.")
        if self.count is not None and (not _is_whole(self.count) or self.count < 1):
            raise InvalidFault(f"count must be a whole number, 1 or more, or null for ever, not {self.count!r}.")
        if not isinstance(self.match, str):
            raise InvalidFault(f"match must be a text, not {self.match!r}.")
        if not _is_number(self.seconds) or (self.seconds < 0 and self.kind != "skew"):
            raise InvalidFault(f"seconds must be a number, 0 or more (any for skew), not {self.seconds!r}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def fault_from(payload: object) -> Fault:
    """Read a fault from decoded JSON: an object with ``target`` and ``kind``, the rest optional.

    Raises InvalidFault for anything else, an unknown field included.
    """
    if not isinstance(payload, dict):
        raise InvalidFault("The body must be a JSON object with at least target and kind.")
    known = [field.name for field in fields(Fault)]
    for name in payload:
        if name not in known:
            raise InvalidFault(f"{name} is not a field of a fault; the fields are {', '.join(known)}.")
    for name in ("target", "kind"):
        if not isinstance(payload.get(name), str):
            raise InvalidFault(f"{name} must be given, as a text.")
    return Fault(**payload)


@dataclass(slots=True)
class _Armed:
    """A fault with what it has seen and done so far."""

    fault: Fault
    seen: int = 0
    fired: int = 0

    @property
    def is_spent(self) -> bool:
        return self.fault.count is not None and self.fired >= self.fault.count


class Faults:
    """The faults that are armed. Safe to use from any thread; the same seed gives the same luck."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        """Arm a fault; it takes its turn after those armed before it."""
        with self._lock:
            self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Disarm every fault."""
        with self._lock:
            self._armed.clear()

    def restart(self, seed: int) -> None:
        """Disarm every fault and begin the run of luck of a seed."""
        with self._lock:
            self._armed.clear()
            self._random = random.Random(seed)

    def take(self, target: str, kind: str, text: str = "") -> Fault | None:
        """Ask whether this call of a service is to go wrong in this way; None when it is not.

        ``text`` is what the service says about the call. The first fault of that target and kind that is not
        spent and whose ``match`` occurs in ``text`` decides, and the call counts towards its ``after`` and
        ``count``.
        """
        with self._lock:
            for armed in self._armed:
                fault = armed.fault
                if (fault.target, fault.kind) != (target, kind) or armed.is_spent or fault.match not in text:
                    continue
                armed.seen += 1
                if armed.seen <= fault.after or self._random.random() >= fault.rate:
                    return None
                armed.fired += 1
                return fault
        return None

    def is_armed(self, target: str, kinds: Collection[str]) -> bool:
        """Whether anything of those kinds can still go wrong at a target."""
        with self._lock:
            return any(
                armed.fault.target == target and armed.fault.kind in kinds and not armed.is_spent
                for armed in self._armed
            )

    def listing(self) -> list[Mapping[str, Any]]:
        """Every fault in order: its fields, the calls it has ``seen``, how often it ``fired``."""
        with self._lock:
            return [
                {**asdict(armed.fault), "seen": armed.seen, "fired": armed.fired, "spent": armed.is_spent}
                for armed in self._armed
            ]
