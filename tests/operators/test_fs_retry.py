"""Which failures are tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from rosterflow.domain.errors import Code, FatalError, NeedsPerson, RetryableError
from rosterflow.operators.fs import FSGraphQLOperator
from rosterflow.operators.retry import ByErrorClass


@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        (FatalError(Code.UNAUTHORIZED, "no"), RetryAction.FAIL, None),
        (NeedsPerson(Code.APPROVAL_INVALID, "ask"), RetryAction.FAIL, None),
        (RetryableError(Code.SERVER_ERROR, "later"), RetryAction.RETRY, None),
        (RetryableError(Code.THROTTLED, "slower", retry_after=600), RetryAction.RETRY, timedelta(minutes=10)),
        (ValueError("a fault of ours"), RetryAction.DEFAULT, None),
    ],
)
def test_the_class_of_an_error_decides(error: Exception, action: RetryAction, delay: timedelta | None) -> None:
    decision = ByErrorClass().evaluate(error, try_number=1, max_tries=4)

    assert (decision.action, decision.retry_delay) == (action, delay)


def test_the_reason_that_airflow_shows_is_the_error_with_its_remedy() -> None:
    error = FatalError(Code.UNAUTHORIZED, "demo: FS does not accept the password.")

    assert ByErrorClass().evaluate(error, 1, 4).reason == str(error)


def test_the_policy_survives_serialization() -> None:
    data = ByErrorClass().serialize()

    assert data == {"__type": "rosterflow.operators.retry.ByErrorClass"}
    assert isinstance(ByErrorClass.deserialize(data), ByErrorClass)


def test_an_fs_task_has_four_retries_decided_by_the_policy_and_takes_the_dags_own_when_given() -> None:
    scope = {"terms": ["2026_HØST"], "sources": [], "emnekoder": None}
    plain = FSGraphQLOperator(task_id="a", operation="emner", institution="demo", scope=scope)
    own = FSGraphQLOperator(
        task_id="b", operation="emner", institution="demo", scope=scope, default_args={"retries": 7}
    )

    assert (plain.retries, type(plain.retry_policy)) == (4, ByErrorClass)
    assert own.retries == 7
