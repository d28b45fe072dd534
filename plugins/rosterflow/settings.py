"""Loading of settings: the institutions' YAML files, and what belongs to the whole installation.

What an institution can set is in :mod:`rosterflow.domain.institution`, or for a college that sends to CourseKey in
:mod:`rosterflow.domain.coursekey.college`; what the installation sets is in the environment (:class:`Environment`).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.institution import Institution

Settings = TypeVar("Settings", Institution, College)


@dataclass(frozen=True, slots=True)
class Broken:
    """An institution whose file cannot be used; the others go on.

    :param key: the file's name without ``.yaml``.
    :param message: every problem, one a line, with file and path.
    """

    key: str
    message: str


def load_institution(path: Path) -> Institution:
    """Read and validate one institution's YAML file.

    :raises FatalError: ``settings-invalid`` with every problem of the file, each with its path.
    """
    return _load(path, Institution)


def load_college(path: Path) -> College:
    """Read and validate the YAML file of a college that sends to CourseKey.

    :raises FatalError: ``settings-invalid`` with every problem of the file, each with its path.
    """
    return _load(path, College)


def college_problems(raw: dict[str, Any]) -> list[str]:
    """What is wrong with the content of a college's settings file, one sentence each with its path."""
    return _validated(raw, College)[1]


def _load(path: Path, model: type[Settings]) -> Settings:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path.name, [f"cannot be read: {error.__class__.__name__}"]) from None
    settings = _settings_of(path.name, text, model)
    assert isinstance(settings, model)
    return settings


@lru_cache(maxsize=100)
def _settings_of(name: str, text: str, model: type[Settings]) -> Settings:
    """What a file says; a task's process asks twice, for the DAG file and for the task.

    :param name: of the file.
    """
    try:
        raw = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise _unusable(name, [f"{where}{getattr(error, 'problem', None) or 'is no YAML'}"]) from None
    if not isinstance(raw, dict):
        raise _unusable(name, ["must be a table of settings"])
    settings, problems = _validated(raw, model)
    if settings and settings.key != Path(name).stem:
        problems.append(f"key: {settings.key!r} must equal the file's name {Path(name).stem!r}")
    if settings is None or problems:
        raise _unusable(name, problems)
    return settings


def _unusable(name: str, problems: Sequence[str]) -> FatalError:
    lines = "\n".join(f"- {name}: {problem}" for problem in problems)
    return FatalError(Code.SETTINGS_INVALID, f"{len(problems)} problem(s) in the settings:\n{lines}\n")


def _validated(raw: dict[str, Any], model: type[Settings]) -> tuple[Settings | None, list[str]]:
    try:
        return model.model_validate(raw), []
    except ValidationError as error:
        return None, [_problem(item) for item in error.errors(include_url=False)]


def _problem(item: Mapping[str, Any]) -> str:
    """One problem in our words; one that is about several settings names them itself."""
    path = ".".join(str(part) for part in item["loc"])
    words = _WORDS.get(item["type"])
    told = words.format(**item.get("ctx", {})) if words else item["msg"].removeprefix("Value error, ")
    return f"{path}: {told}" if path else told


_WORDS = {
    "extra_forbidden": "no such setting",
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "string_type": "must be text; write it in quotes",
    "literal_error": "must be {expected}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a table of settings",
    "model_type": "must be a table of settings",
    "model_attributes_type": "must be a table of settings",
    "less_than_equal": "must not be more than {le}",
    "greater_than_equal": "must not be less than {ge}",
    "greater_than": "must be more than {gt}",
}
"""What is wrong, by pydantic's name of it; other problems are told by our own validators."""


def load_institutions(folder: Path) -> tuple[list[Institution], list[Broken]]:
    """Read every ``*.yaml`` of a folder; a broken institution never stops another.

    Of two with one number in one Canvas root account neither can be used: their SIS ids would be the same.

    :returns: the usable institutions by key, and the broken ones with all their problems.
    """
    good, broken = _load_all(folder, Institution)
    shared = Counter(map(_ids_of, good))
    twins = [one for one in good if shared[_ids_of(one)] > 1]
    for one in twins:
        number, root = _ids_of(one)
        others = " and ".join(f"{twin.key}.yaml" for twin in twins if twin != one and _ids_of(twin) == (number, root))
        problem = f"- {one.key}.yaml: number: {number!r} is also that of {others}, in the Canvas root account {root!r}"
        told = FatalError(Code.SETTINGS_INVALID, f"1 problem(s) in the settings:\n{problem}\n")
        broken.append(Broken(one.key, str(told)))
    return [one for one in good if one not in twins], broken


def load_colleges(folder: Path) -> tuple[list[College], list[Broken]]:
    """Read every ``*.yaml`` of a folder that is a college's; a broken college never stops another.

    :returns: the usable colleges by key, and the broken ones with all their problems.
    """
    return _load_all(folder, College)


def _load_all(folder: Path, model: type[Settings]) -> tuple[list[Settings], list[Broken]]:
    good: list[Settings] = []
    broken: list[Broken] = []
    for path in sorted(folder.glob("*.yaml")):
        if is_college(path) is not (model is College):
            continue
        try:
            good.append(_load(path, model))
        except FatalError as error:
            broken.append(Broken(path.stem, str(error)))
    return good, broken


def is_college(path: Path) -> bool:
    """Whether a settings file is a college's: by what it says of Campus Cafe or CourseKey, even when it is no YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False  # it is told as a broken institution, which is what most files are
    return bool(re.search(r"^(campus_cafe|coursekey|crskeyauth):", text, re.MULTILINE))


def _ids_of(institution: Institution) -> tuple[str, str]:
    """What makes an institution's SIS ids its own: its number and the Canvas root account they are in."""
    return institution.number, institution.canvas.root or institution.canvas.connection


@dataclass(frozen=True, slots=True)
class Environment:
    """What belongs to the whole installation.

    :param database_url: SQLAlchemy URL of our own store (``ROSTERFLOW_DATABASE_URL``).
    :param storage_url: folder or bucket for pages, checkpoints and zips (``ROSTERFLOW_STORAGE``), as an fsspec URL.
    :param page_keys: Fernet keys, newest first (``ROSTERFLOW_PAGE_KEYS``, comma-separated).
    :param institutions: folder of the institutions' YAML files (``ROSTERFLOW_INSTITUTIONS``).
    :param graphql: folder of the GraphQL operations (``ROSTERFLOW_GRAPHQL``).
    :param operators: who is told when no institution can be (``ROSTERFLOW_OPERATORS``, comma-separated).
    :param heartbeat_connection: optional HTTP connection that housekeeping calls each hour, for a dead man's switch
        outside (``ROSTERFLOW_HEARTBEAT_CONNECTION``).
    """

    database_url: str
    storage_url: str
    page_keys: tuple[str, ...]
    institutions: Path
    graphql: Path
    operators: tuple[str, ...] = ()
    heartbeat_connection: str = ""

    def __repr__(self) -> str:
        """Without keys and without the database's password."""
        return f"Environment(institutions={str(self.institutions)!r})"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """Read the installation's settings from environment variables.

    :raises FatalError: ``settings-invalid`` naming every variable that is missing.
    """
    needed = ("ROSTERFLOW_DATABASE_URL", "ROSTERFLOW_STORAGE", "ROSTERFLOW_PAGE_KEYS")
    missing = [name for name in needed if not variables.get(name)]
    if missing:
        raise FatalError(Code.SETTINGS_INVALID, f"The environment lacks {', '.join(missing)}.")
    return Environment(
        database_url=variables["ROSTERFLOW_DATABASE_URL"],
        storage_url=variables["ROSTERFLOW_STORAGE"],
        page_keys=_listed(variables["ROSTERFLOW_PAGE_KEYS"]),
        institutions=institutions_folder(variables),
        graphql=graphql_folder(variables),
        operators=_listed(variables.get("ROSTERFLOW_OPERATORS", "")),
        heartbeat_connection=variables.get("ROSTERFLOW_HEARTBEAT_CONNECTION", ""),
    )


_INCLUDE = Path(__file__).parents[2] / "include"


def institutions_folder(variables: Mapping[str, str] = os.environ) -> Path:
    """The folder of the YAML files: ``ROSTERFLOW_INSTITUTIONS`` or the repository's ``include/institutions``."""
    return Path(variables.get("ROSTERFLOW_INSTITUTIONS") or _INCLUDE / "institutions")


def graphql_folder(variables: Mapping[str, str] = os.environ) -> Path:
    """The folder of GraphQL operations: ``ROSTERFLOW_GRAPHQL``, ``include/graphql``, or the wheel's own copy."""
    if named := variables.get("ROSTERFLOW_GRAPHQL"):
        return Path(named)
    beside = _INCLUDE / "graphql"
    return beside if beside.is_dir() else Path(__file__).parent / "graphql"
