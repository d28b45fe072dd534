"""The leaky bucket of the sandbox's Canvas, in both profiles."""

from __future__ import annotations

import pytest

from sandbox.canvas.throttle import HOSTED_2026, Throttle, gate_of
from tests.sandbox.rest_client import TOKEN, RestClient

MARK = HOSTED_2026.high_water_mark


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_an_ordinary_request_costs_next_to_nothing() -> None:
    response = RestClient().get("/accounts/self")

    assert 0 < float(response.headers["X-Request-Cost"]) < 1
    assert 699 < float(response.headers["X-Rate-Limit-Remaining"]) <= 700


@pytest.mark.parametrize(
    ("profile", "mark", "status", "text"),
    [
        ("hosted-2026", 700, 429, "429 Too Many Requests (Rate Limit Exceeded)\n"),
        ("legacy", 600, 403, "403 Forbidden (Rate Limit Exceeded)\n"),
    ],
)
def test_a_full_bucket_answers_in_plain_text_without_a_time_to_come_back(
    profile: str, mark: float, status: int, text: str
) -> None:
    canvas = RestClient(profile)
    gate_of(canvas.canvas).throttle.charge(TOKEN, mark + 50)

    response = canvas.get("/accounts/self")

    assert (response.status_code, response.text) == (status, text)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Rate-Limit-Remaining"] == "0.0"
    assert not {"Retry-After", "X-Request-Cost"} & response.headers.keys()


def test_one_full_bucket_does_not_throttle_another_token() -> None:
    canvas = RestClient()
    gate_of(canvas.canvas).throttle.charge("sandbox-canvas-readonly", 800)

    assert canvas.get("/accounts/self").status_code == 200


def test_fourteen_requests_at_once_fill_an_idle_bucket() -> None:
    throttle = Throttle(Clock())

    assert [throttle.admit("t", MARK) for _ in range(15)] == [True] * 14 + [False]


def test_a_finished_request_gives_its_reserve_back_and_pays_its_cost() -> None:
    throttle = Throttle(Clock())

    throttle.admit("t", MARK)
    throttle.settle("t", 1.5)

    assert throttle.remaining("t", MARK) == MARK - 1.5


def test_ten_units_leak_each_second_down_to_an_empty_bucket() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    throttle.charge("t", 100)

    clock.seconds = 3
    after_three = throttle.remaining("t", MARK)
    clock.seconds = 60

    assert (after_three, throttle.remaining("t", MARK)) == (MARK - 70, MARK)


def test_a_bucket_holds_eight_hundred_units_at_most() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    throttle.charge("t", 10_000)

    clock.seconds = 15

    assert throttle.remaining("t", MARK) == 50
