"""One duty of housekeeping as an Airflow task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import getdoc
from typing import Any

from airflow.sdk import BaseOperator, Context

from rosterflow.notifications.links import airflow_url
from rosterflow.notifications.mail import probe, send
from rosterflow.operators.institution import RETRYING, now
from rosterflow.operators.retry import ByErrorClass
from rosterflow.sync import housekeeping
from rosterflow.sync.housekeeping import Household, open_household


def reach_mail_server(house: Household) -> int:
    """See that mail can be sent at all: mails are few, and the one that matters must not be the first to fail."""
    probe()
    return 1


DUTIES: Mapping[str, Callable[[Household], int]] = {
    "forget_what_is_old": housekeeping.forget_what_is_old,
    "tell_silence": housekeeping.tell_silence,
    "tell_broken_settings": housekeeping.tell_broken_settings,
    "tell_unplanned": housekeeping.tell_unplanned,
    "send_digests": housekeeping.send_digests,
    "reach_mail_server": reach_mail_server,
}


class HousekeepingOperator(BaseOperator):
    """Does one duty of housekeeping, by default the one it is named after. Returns how much there was to do.

    :param duty: one of :data:`DUTIES`.
    """

    def __init__(self, *, duty: str = "", **kwargs: Any) -> None:
        does = DUTIES[duty or kwargs["task_id"]]
        defaults = {**RETRYING, "retries": 2, "retry_policy": ByErrorClass(), "doc_md": getdoc(does)}
        super().__init__(**{**defaults, **kwargs})
        self.duty = duty or self.task_id

    def execute(self, context: Context) -> int:
        """Do the duty.

        :raises RosterflowError: what failed; ``mail-failed`` when somebody could not be told.
        """
        with open_household(send, airflow_url(), now()) as house:
            count = DUTIES[self.duty](house)
        self.log.info("%s: %d", self.duty, count)
        return count
