from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.faults import HTTP_KINDS, KINDS, Fault, Faults, InvalidFault, fault_from


def taken(faults: Faults, calls: int, text: str = "") -> str:
    """One letter for each call of fs/500: X when it was struck."""
    return "".join("X" if faults.take("fs", "500", text) else "." for _ in range(calls))


def test_nothing_goes_wrong_unasked() -> None:
    assert Faults().take("fs", "500") is None


def test_a_fault_strikes_once_unless_told_otherwise() -> None:
    faults = Faults()
    faults.add(Fault("fs", "500"))
    assert taken(faults, 4) == "X..."


def test_a_fault_spares_the_calls_before_it_and_strikes_as_often_as_asked() -> None:
    faults = Faults()
    faults.add(Fault("fs", "500", after=2, count=3))
    assert taken(faults, 7) == "..XXX.."


def test_a_fault_without_a_count_strikes_for_ever() -> None:
    faults = Faults()
    faults.add(Fault("fs", "500", count=None))
    assert taken(faults, 50) == "X" * 50


def test_a_fault_strikes_its_own_target_and_kind_only() -> None:
    faults = Faults()
    faults.add(Fault("fs", "500"))
    assert faults.take("canvas", "500") is None
    assert faults.take("fs", "503") is None
    assert faults.take("fs", "500") == Fault("fs", "500")


def test_only_calls_that_match_are_struck_and_only_they_count() -> None:
    faults = Faults()
    faults.add(Fault("fs", "500", after=1, match="emner"))
    assert taken(faults, 5, "units") == "....."
    assert taken(faults, 3, "query emner") == ".X."


def test_the_next_fault_takes_over_when_the_first_is_spent() -> None:
    faults = Faults()
    faults.add(Fault("fs", "500", seconds=1))
    faults.add(Fault("fs", "500", seconds=2))
    struck = [faults.take("fs", "500") for _ in range(3)]
    assert [fault and fault.seconds for fault in struck] == [1, 2, None]


def test_a_rate_strikes_about_that_share_and_the_same_calls_for_the_same_seed() -> None:
    def run(seed: int) -> str:
        faults = Faults(seed)
        faults.add(Fault("fs", "500", rate=0.25, count=None))
        return taken(faults, 1_000)

    assert 200 < run(1).count("X") < 300
    assert run(1) == run(1)
    assert run(1) != run(2)


def test_the_count_holds_however_many_threads_ask() -> None:
    faults = Faults()
    faults.add(Fault("fs", "500", count=100))
    with ThreadPoolExecutor(8) as pool:
        struck = sum(pool.map(lambda _: taken(faults, 50).count("X"), range(16)))
    assert struck == 100


def test_a_target_is_armed_until_its_faults_are_spent_or_cleared() -> None:
    faults = Faults()
    faults.add(Fault("canvas", "slow_import"))
    faults.add(Fault("canvas", "500"))
    assert faults.is_armed("canvas", HTTP_KINDS)
    assert not faults.is_armed("fs", HTTP_KINDS)
    faults.take("canvas", "500")
    assert not faults.is_armed("canvas", HTTP_KINDS)
    assert faults.is_armed("canvas", KINDS["canvas"])
    faults.clear()
    assert not faults.is_armed("canvas", KINDS["canvas"])


def test_the_listing_tells_what_each_fault_has_seen_and_done() -> None:
    faults = Faults()
    faults.add(Fault("fs", "500", after=1))
    taken(faults, 2)
    assert faults.listing() == [
        {
            "target": "fs",
            "kind": "500",
            "rate": 1.0,
            "after": 1,
            "count": 1,
            "match": "",
            "seconds": 0.0,
            "seen": 2,
            "fired": 1,
            "spent": True,
        }
    ]


def test_restarting_disarms_and_brings_the_same_luck_back() -> None:
    faults = Faults(7)
    half = Fault("fs", "500", rate=0.5, count=None)
    faults.add(half)
    first = taken(faults, 64)
    faults.restart(7)
    assert taken(faults, 1) == "."
    faults.add(half)
    assert taken(faults, 64) == first


def test_a_fault_is_read_from_json_with_everything_but_target_and_kind_optional() -> None:
    assert fault_from({"target": "mail", "kind": "refuse"}) == Fault("mail", "refuse")
    assert fault_from(
        {"target": "fs", "kind": "latency", "rate": 0.5, "after": 3, "count": None, "match": "a", "seconds": 2}
    ) == Fault("fs", "latency", 0.5, 3, None, "a", 2)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ([], "The body must be a JSON object with at least target and kind."),
        ({"kind": "500"}, "target must be given, as a text."),
        ({"target": "fs", "kind": 500}, "kind must be given, as a text."),
        (
            {"target": "ladok", "kind": "500"},
            "target must be one of fs, canvas, campuscafe, coursekey, coursekey-export, mail, not 'ladok'.",
        ),
        (
            {"target": "mail", "kind": "500"},
            "kind must, for the target mail, be one of refuse, not '500'.",
        ),
        (
            {"target": "fs", "kind": "500", "times": 3},
            "times is not a field of a fault; the fields are target, kind, rate, after, count, match, seconds.",
        ),
        ({"target": "fs", "kind": "500", "rate": 0}, "rate must be a number above 0 and at most 1, not 0."),
        ({"target": "fs", "kind": "500", "rate": "1"}, "rate must be a number above 0 and at most 1, not '1'."),
        ({"target": "fs", "kind": "500", "after": -1}, "after must be a whole number, 0 or more, not -1."),
        ({"target": "fs", "kind": "500", "after": True}, "after must be a whole number, 0 or more, not True."),
        (
            {"target": "fs", "kind": "500", "count": 0},
            "count must be a whole number, 1 or more, or null for ever, not 0.",
        ),
        ({"target": "fs", "kind": "500", "match": None}, "match must be a text, not None."),
        (
            {"target": "fs", "kind": "latency", "seconds": -1},
            "seconds must be a number, 0 or more (any for skew), not -1.",
        ),
        (
            {"target": "fs", "kind": "latency", "seconds": float("nan")},
            "seconds must be a number, 0 or more (any for skew), not nan.",
        ),
    ],
)
def test_what_cannot_be_armed_is_refused_by_the_field_and_what_is_allowed(payload: object, sentence: str) -> None:
    with pytest.raises(InvalidFault) as refusal:
        fault_from(payload)
    assert str(refusal.value) == sentence


def test_a_clock_may_be_wrong_in_both_directions() -> None:
    assert fault_from({"target": "fs", "kind": "skew", "seconds": -90}).seconds == -90
