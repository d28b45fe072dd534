"""What is decided about people while their rosters are made: for the store, and step by step for one person.

Hundreds of thousands of people are simply where the source has them, and leave nothing here: only who is *not* sent,
and which places and roles lead nowhere, becomes a decision. A ledger about one person records each step of theirs, what
was allowed too; the rules are the same.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rosterflow.domain.decisions import Decision, RowProblem
from rosterflow.domain.mapping.draft import Facts
from rosterflow.domain.model import SourceKind
from rosterflow.domain.rosters import Place

MOST_FACTS = 12
"""So many facts one decision shows; how many more there are is the last of them."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was applied to one person, for those who ask why.

    :param allowed: whether the person went on.
    :param facts: the facts it was decided on, as name and value; never a name, a login or an e-mail address.
    :param place: where in Canvas it leads, when it leads somewhere.
    """

    source: SourceKind
    rule: str
    allowed: bool
    facts: Facts = ()
    place: Place | None = None


class Ledger:
    """Gathers decisions and problems; the order in which they come, and how often, does not matter.

    :param about: personlopenummer of the one person whose every step is recorded too; ``None`` for nobody.
    """

    def __init__(self, about: str | None = None) -> None:
        self.about = about
        self.steps: list[Step] = []
        self._facts: dict[tuple[SourceKind, str, str, bool], set[tuple[str, str]]] = defaultdict(set)
        self._problems: dict[RowProblem, None] = {}

    def decide(
        self, source: SourceKind, subject: str, rule: str, *facts: tuple[str, str], allowed: bool = False
    ) -> None:
        """Decide on a person (subject: personlopenummer), a place (its natural key) or a role (its code)."""
        self._facts[source, subject, rule, allowed].update(facts)
        if self.about is not None and (source is not SourceKind.BRUKER or subject == self.about):
            self.trace(Step(source, rule, allowed, facts))

    def trace(self, step: Step) -> None:
        """Record a step of the person whom the ledger is about; one that is told twice is one step."""
        if step not in self.steps:
            self.steps.append(step)

    def problem(self, problem: RowProblem) -> None:
        """A row that could not be used."""
        self._problems[problem] = None

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Every decision, in a fixed order."""
        found = (
            Decision(source, subject, allowed, rule, _shown(facts))
            for (source, subject, rule, allowed), facts in self._facts.items()
        )
        return tuple(sorted(found, key=lambda one: (one.source, one.subject, one.rule)))

    @property
    def problems(self) -> tuple[RowProblem, ...]:
        """Every problem, in a fixed order."""
        return tuple(sorted(self._problems, key=lambda p: (p.source, p.subject, p.code, p.message)))


def _shown(facts: set[tuple[str, str]]) -> Facts:
    shown = sorted(facts)
    if len(shown) <= MOST_FACTS:
        return tuple(shown)
    return (*shown[: MOST_FACTS - 1], ("more", str(len(shown) - MOST_FACTS + 1)))
