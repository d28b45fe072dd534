"""The documentation names everything a person can set or meet, with its true default."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.sites import Pair
from rosterflow.domain.errors import REMEDIES, Code
from rosterflow.domain.institution import Institution
from rosterflow.operators.params import SYNC_PARAMS
from rosterflow.provider import CONNECTION_TYPES
from tests.conftest import REPOSITORY

SETTINGS = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
RUNBOOK = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")

Setting = tuple[str, str, FieldInfo]


def settings_of(model: type[BaseModel], defaults: BaseModel | None = None, prefix: str = "") -> Iterator[Setting]:
    """Every setting below a block: its path, its default as YAML flow, and the field."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            block = None if field.is_required() else field.get_default()
            yield from settings_of(field.annotation, getattr(defaults, name, block), f"{path}.")
        elif field.is_required() and defaults is None:
            yield path, "required", field
        else:
            value = getattr(defaults, name) if defaults is not None else field.get_default()
            yield path, f"`{json.dumps(value, ensure_ascii=False, default=list)}`", field


ALL: dict[str, tuple[str, FieldInfo]] = {path: (default, field) for path, default, field in settings_of(Institution)}


BOTH_KINDS = ("guards", "approval", "mail", "retention")
"""Blocks that a college has as an institution has them; they are documented once."""

COLLEGE: dict[str, tuple[str, FieldInfo]] = {
    path: (default, field)
    for path, default, field in (*settings_of(College), *settings_of(Pair, prefix="crskeyauth."))
    if path.split(".")[0] not in BOTH_KINDS
}

OF_INSTITUTIONS, _, OF_COLLEGES = SETTINGS.split("## The installation")[0].partition("## A college")


def row_of(path: str, part: str = OF_INSTITUTIONS) -> list[str]:
    """The cells of a setting's row in a part of the documentation."""
    found = [line for line in part.splitlines() if line.startswith(f"| `{path}` |")]
    assert len(found) == 1, f"{path} has {len(found)} rows"
    return [cell.strip() for cell in found[0].strip("|").split("|")]


@pytest.mark.parametrize("path", ALL)
def test_each_setting_has_one_row_with_its_default_its_choices_and_its_meaning(path: str) -> None:
    default, field = ALL[path]
    _, told, meaning = row_of(path)

    assert told == default
    assert meaning.startswith(field.description or "")
    assert meaning
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    assert [choice for choice in choices if f"`{choice}`" not in meaning] == []


def test_no_setting_is_documented_that_does_not_exist() -> None:
    documented = [
        re.findall(r"^\| `([A-Za-z_.]+)` \|", part, flags=re.MULTILINE) for part in (OF_INSTITUTIONS, OF_COLLEGES)
    ]

    assert sorted(documented[0]) == sorted(ALL)
    assert sorted(documented[1]) == sorted(path.removeprefix("coursekey.") for path in COLLEGE)


def written(default: str) -> str:
    """A default as Campus Cafe writes it."""
    return {"`true`": "`Y`", "`false`": "`N`", "`[]`": "empty", "`null`": "empty"}.get(default, default).replace(
        '"', ""
    )


@pytest.mark.parametrize("path", COLLEGE)
def test_each_setting_of_a_college_has_one_row_with_its_default_and_its_meaning(path: str) -> None:
    default, field = COLLEGE[path]
    is_parameter = path.startswith("coursekey.")
    _, told, meaning = row_of(path.removeprefix("coursekey."), OF_COLLEGES)

    assert told == (written(default) if is_parameter else default)
    assert field.description
    assert meaning.startswith(field.description)


def test_each_environment_variable_is_documented_and_no_other() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "plugins").rglob("*.py"))
    used = set(re.findall(r"ROSTERFLOW_[A-Z_]+[A-Z]", source))

    assert set(re.findall(r"^\| `(ROSTERFLOW_[A-Z_]+)` \|", SETTINGS, flags=re.MULTILINE)) == used


@pytest.mark.parametrize("name", SYNC_PARAMS)
def test_each_param_of_the_sync_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", SETTINGS.split("## Params")[1], flags=re.MULTILINE)


def extras() -> list[str]:
    """Extra fields of our connection types."""
    return [name for connection in CONNECTION_TYPES for name in connection.get("conn-fields", {})]


@pytest.mark.parametrize("name", extras())
def test_each_extra_of_a_connection_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", SETTINGS.split("## Connections")[1], flags=re.MULTILINE)


def sections() -> dict[str, str]:
    """The sections of the runbook that are about a code, by their anchors."""
    parts = re.split(r"^### (.+)$", RUNBOOK, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_runbook_has_one_section_for_each_code_in_their_order() -> None:
    assert list(sections()) == [str(code) for code in Code]


@pytest.mark.parametrize("code", Code)
def test_a_section_says_what_it_means_what_the_system_did_what_to_do_and_how_to_see_it_is_solved(code: Code) -> None:
    section = sections()[code]
    bold = re.findall(r"^\*\*(.+?)\*\*", section, flags=re.MULTILINE)

    assert bold == ["What it means.", "What the system did.", "What to do.", "Solved when"]
    assert REMEDIES[code] in section


@pytest.mark.parametrize("text", [SETTINGS, RUNBOOK, README], ids=["settings", "runbook", "readme"])
def test_every_command_in_the_documents_exists(text: str) -> None:
    from typer.main import get_command

    from rosterflow.cli.app import app

    known = get_command(app)
    for words in re.findall(r"python -m rosterflow ([a-z][^`'\n]*)", text):
        command: Any = known
        rest = words.split()
        while rest and hasattr(command, "commands"):
            command = command.commands[rest.pop(0)]
        options = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
        assert {word for word in rest if word.startswith("-")} <= options, words
