"""What an answer of CourseKey stands for: whole JSON, or the error that its status and body mean (coursekey §5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from rosterflow.domain.coursekey.port import UnknownOutcome
from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError, RowError
from rosterflow.hooks.retry_after import retry_after
from rosterflow.wire import coursekey_json
from rosterflow.wire.coursekey_json import Complaint, Request
from rosterflow.wire.coursekey_profile import Call, CourseKeyProfile, Operation, Problem

CODES: Mapping[Problem, Code] = {
    Problem.UNKNOWN_OWNER: Code.OWNER_UNKNOWN,
    Problem.UNKNOWN_ATTENDANCE_NAME: Code.ATTENDANCE_NAME_UNKNOWN,
    Problem.BAD_ZONE: Code.ZONE_REFUSED,
    Problem.MISSING_EMAIL: Code.EMAIL_MISSING,
    Problem.EMAIL_TAKEN: Code.ACCOUNT_TAKEN,
    Problem.ISSUED_ID_TAKEN: Code.ACCOUNT_TAKEN,
    Problem.NAME_TAKEN: Code.COURSE_NAME_TAKEN,
    Problem.UNKNOWN_COURSE: Code.GONE_IN_COURSEKEY,
    Problem.UNKNOWN_USER: Code.GONE_IN_COURSEKEY,
}
"""The code of a problem; any other is ``coursekey-refused``."""

UNUSABLE_KEY = frozenset({Problem.BAD_KEY, Problem.FOREIGN_SCHOOL, Problem.UNKNOWN_SCHOOL})
"""What is wrong with the settings, and so with every entry of the key."""


class Refusal(RowError):
    """CourseKey refused this one thing.

    :param problem: what it finds wrong.
    """

    def __init__(self, problem: Problem, message: str) -> None:
        super().__init__(CODES.get(problem, Code.COURSEKEY_REFUSED), message)
        self.problem = problem


def understood(
    profile: CourseKeyProfile, operation: Operation, request: Request, answer: httpx.Response, key: str
) -> Any:
    """The JSON of a good answer; ``None`` when it has no body.

    :param key: the auth key, which must not be seen in an error.
    :raises RosterflowError: what the answer stands for otherwise.
    """
    call = profile.calls[operation]
    body, is_json = _body(answer)
    if answer.is_success and is_json and not coursekey_json.is_refusal(profile, body):
        return body
    if answer.is_success and not is_json:
        raise lost(call, operation, f"CourseKey's answer to '{operation}' is cut off or no JSON.", Code.BAD_RESPONSE)
    told = coursekey_json.complaint(profile, body, (*request.hidden, key))
    raise _refusal(profile, operation, answer, told)


def lost(call: Call, operation: Operation, words: str, code: Code = Code.UNREACHABLE) -> RetryableError:
    """The error of a call of which is not known what became of it."""
    return RetryableError(code, words) if call.repeatable else UnknownOutcome(words)


def _refusal(
    profile: CourseKeyProfile, operation: Operation, answer: httpx.Response, told: Complaint
) -> RosterflowError:
    status, errors = answer.status_code, profile.errors
    if status in errors.unusable_key or told.problem in UNUSABLE_KEY:
        code = Code.UNAUTHORIZED if told.problem is Problem.BAD_KEY or status == 401 else Code.FORBIDDEN
        return FatalError(code, f"CourseKey does not let the auth key {operation}: {told.code or status}.")
    if errors.may_pass(status):
        wait = retry_after(answer.headers)
        code = Code.THROTTLED if status == 429 else Code.SERVER_ERROR
        words = f"CourseKey answered '{operation}' with {status}."
        if status in errors.not_done or profile.calls[operation].repeatable:
            return RetryableError(code, words, retry_after=wait)
        return UnknownOutcome(words)
    if answer.is_redirect or (status in (404, 405) and told.code not in errors.meanings):
        return FatalError(Code.BAD_RESPONSE, f"What answered '{operation}' with {status} is not CourseKey's API.")
    return Refusal(told.problem, f"CourseKey refused to {operation} with {told.code or status}: {told.words}")


def _body(answer: httpx.Response) -> tuple[Any, bool]:
    """The body, and whether it is JSON or rightly empty."""
    if answer.status_code == httpx.codes.NO_CONTENT:
        return None, True
    try:
        return msgspec.json.decode(answer.content), True
    except ValueError:
        return None, False
