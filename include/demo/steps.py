"""The steps of the demo's story.

A step is a function that takes the running `Stack`, decorated with its title::

    @step("The first sync plans everything and waits for a person")
    def first_contact(stack: Stack) -> None: ...

Steps run in the order in which they are defined. A part of the story imports something of the part it follows, so that
this one's steps come first. One that raises ends the demo.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from demo.stack import Stack

Act = Callable[[Stack], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the title people see when it begins, and what it does."""

    title: str
    act: Act


STEPS: list[Step] = []


def step(title: str) -> Callable[[Act], Act]:
    """Make the decorated function the next step of the story."""

    def add(act: Act) -> Act:
        STEPS.append(Step(title, act))
        return act

    return add
