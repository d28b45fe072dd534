"""Which variables an operation gets."""

from __future__ import annotations

import pytest

from rosterflow.domain.errors import Code, FatalError
from rosterflow.hooks.fs_operations import Extent, operation_named, variables_of

EXTENT = Extent("184", 2026, "HOST", (2025, 2026), nested=100, emnekoder=None)
SINGLE = Extent("184", 2026, "VAR", (2026,), nested=100, emnekoder=("INF-2", "INF-1"))


@pytest.mark.parametrize(
    ("name", "dialect", "extent", "variables"),
    [
        ("terminer", "2026", EXTENT, {"organisasjonskode": "184", "arstall": [2025, 2026]}),
        ("organisasjonsenheter", "2026", SINGLE, {"organisasjonskode": "184"}),
        ("studieprogram", "2026", SINGLE, {"organisasjonskode": "184", "nested": 100}),
        ("evu_kurs", "2026", SINGLE, {"organisasjonskode": "184"}),
        (
            "emner",
            "2026",
            EXTENT,
            {"organisasjonskode": "184", "ikkeUtloptITermin": {"arstall": 2026, "terminbetegnelse": "HOST"}},
        ),
        (
            "undervisning",
            "2026",
            SINGLE,
            {
                "organisasjonskode": "184",
                "nested": 100,
                "ikkeUtloptITermin": {"arstall": 2026, "terminbetegnelse": "VAR"},
                "fraTermin": {"arstall": 2026, "betegnelse": "VAR"},
                "emnekoder": ["INF-1", "INF-2"],
            },
        ),
        (
            "enkeltemne",
            "2026",
            SINGLE,
            {"organisasjonskode": "184", "nested": 100, "emnekoder": ["INF-1", "INF-2"]},
        ),
        ("studieprogram", "2023", SINGLE, {"inst": "184"}),
        ("emner", "2023", EXTENT, {"inst": "184", "aar": 2026, "termin": "HOST"}),
        (
            "undervisning",
            "2023",
            SINGLE,
            {"inst": "184", "aar": 2026, "termin": "VAR", "emneKode": ["INF-1", "INF-2"]},
        ),
    ],
)
def test_an_operation_gets_the_variables_of_its_dialect(
    name: str, dialect: str, extent: Extent, variables: dict[str, object]
) -> None:
    assert variables_of(operation_named(name, dialect), extent) == variables


def test_an_operation_that_the_dialect_lacks_is_named_with_those_it_has() -> None:
    with pytest.raises(FatalError) as caught:
        operation_named("terminer", "2023")

    assert caught.value.code is Code.SETTINGS_INVALID
    assert caught.value.message == (
        "FS dialect 2023 has no operation 'terminer'; it has: "
        "emner, enkeltemne, evu_kurs, organisasjonsenheter, studieprogram, studieprogramroller, undervisning."
    )
