"""Does the installation hold together: environment, settings files, store and page store. Nothing outside is asked."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rosterflow.domain.errors import Code, FatalError, RosterflowError
from rosterflow.settings import Environment, environment, load_colleges, load_institutions
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.sync.pages import PageStore


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    :param is_good: whether it is as it should be.
    :param message: one sentence, or one line for each problem.
    """

    subject: str
    is_good: bool
    message: str


def check_installation(variables: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Check the environment, and the store and the pages when it says where they are."""
    try:
        here = environment(variables)
    except RosterflowError as error:
        yield bad("environment", error)
        return
    told = f"{len(here.operators)} operator(s)" if here.operators else "no operators, so nobody is told when all fails"
    yield Finding("environment", True, f"complete; {told}")
    yield _check_store(here)
    yield _check_pages(here)


def check_files(folder: Path, only: str = "") -> Iterator[Finding]:
    """Check the settings files.

    :param only: key of the one institution to look at; empty for all.
    """
    good, broken = load_institutions(folder)
    colleges, broken_colleges = load_colleges(folder)
    broken += broken_colleges
    keys = {*(one.key for one in good), *(one.key for one in colleges), *(one.key for one in broken)}
    if not keys or (only and only not in keys):
        name = f"{only}.yaml" if only else "*.yaml"
        yield Finding(f"settings {only}".strip(), False, f"There is no {name} in {folder}.")
    for one in broken:
        if only in ("", one.key):
            yield Finding(f"settings {one.key}", False, one.message)
    for institution in good:
        if only in ("", institution.key):
            fs, canvas = institution.fs, institution.canvas
            told = f"{institution.name}: FS {fs.dialect} by {fs.connection}, Canvas by {canvas.connection}"
            yield Finding(f"settings {institution.key}", True, f"{told}, pool {canvas.pool}")
    for college in colleges:
        if only in ("", college.key):
            source = college.campus_cafe.connection or college.campus_cafe.folder
            keys_of_it = ", ".join(sorted({pair.connection for pair in college.crskeyauth}))
            told = f"{college.name}: Campus Cafe by {source}, CourseKey by {keys_of_it}"
            yield Finding(f"settings {college.key}", True, told)


def bad(subject: str, error: RosterflowError) -> Finding:
    """The finding that an error stands for."""
    return Finding(subject, False, str(error))


def _check_store(here: Environment) -> Finding:
    try:
        store = Store(here.database_url)
        try:
            migrate.check(store)
        finally:
            store.dispose()
    except RosterflowError as error:
        return bad("store", error)
    return Finding("store", True, "reached, and at this version")


def _check_pages(here: Environment) -> Finding:
    name = f"check/{uuid.uuid4().hex}"
    try:
        pages = PageStore(here.storage_url, here.page_keys)
        pages.put(name, {})
        pages.get(name)
        pages.delete(name)
    except RosterflowError as error:
        return bad("pages", error)
    except (OSError, ImportError, ValueError) as error:
        message = f"ROSTERFLOW_STORAGE cannot be written to ({type(error).__name__})."
        return bad("pages", FatalError(Code.SETTINGS_INVALID, message))
    return Finding("pages", True, f"written and read back; {len(here.page_keys)} key(s)")
