"""Which failures Airflow tries again: the class of our error decides (Airflow findings §6.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from airflow.sdk.definitions.context import Context
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from rosterflow.domain.errors import FatalError, NeedsPerson, RetryableError


class ByErrorClass(RetryPolicy):
    """A fatal error and one that needs a person fail the task at once; a retryable one is tried again.

    The wait is what the other side asked for, else the task's own. Errors that are not ours are left to the task's own
    rules. The number of tries stays the task's.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide about one failure."""
        match exception:
            case FatalError() | NeedsPerson():
                return RetryDecision.fail(reason=str(exception))
            case RetryableError():
                wait = timedelta(seconds=exception.retry_after) if exception.retry_after is not None else None
                return RetryDecision.retry(delay=wait, reason=str(exception))
            case _:
                return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Nothing but its name: it has no settings."""
        return {"__type": f"{type(self).__module__}.{type(self).__qualname__}"}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """The policy that :meth:`serialize` wrote."""
        return cls()
