"""Python's search for reference cycles, kept out of the way of work that makes many objects at once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def undisturbed(work: Callable[P, R]) -> Callable[P, R]:
    """Have a function run without the search for reference cycles.

    A page's or a plan's objects have no cycles, but each search looks at all of them and at all of Airflow again: that
    doubled the time of decoding and of planning (docs/benchmarks.md). What nobody refers to any more is freed as ever.
    """

    @wraps(work)
    def wrapped(*arguments: P.args, **named: P.kwargs) -> R:
        searches = gc.isenabled()
        gc.disable()
        try:
            return work(*arguments, **named)
        finally:
            if searches:
                gc.enable()

    return wrapped


@contextmanager
def passing_over_what_is_there() -> Iterator[None]:
    """Have the search for reference cycles look only at what is made meanwhile.

    Work that goes on for a quarter of an hour cannot do without it, and must not stand still while it looks at all of
    Airflow again.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
