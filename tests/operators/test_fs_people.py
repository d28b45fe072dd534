"""The tasks that read people: the split into parts, one part, and what a later task finds of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from airflow.sdk import DAG, Context
from airflow.sdk.definitions.mappedoperator import MappedOperator
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, FatalError, RosterflowError
from rosterflow.operators import fs
from rosterflow.operators.fs import (
    FSGraphQLOperator,
    ReadPeopleOperator,
    SplitPeopleOperator,
    mapped_reads,
    people_read,
)
from rosterflow.operators.retry import ByErrorClass
from rosterflow.sync.reading_people import STRUCTURE_NEEDED, Part
from rosterflow.xcom import EncryptedPages, page_store
from tests.hooks.http_stub import Answer, Stub, serving

SCOPE = {"terms": ["2026_HØST"], "sources": ["emnestudierett"], "emnekoder": None}
INSTITUTION = """
key: demo
name: Demo
number: "184"
fs: {connection: fs_demo, dialect: "DIALECT"}
canvas: {connection: canvas, account: FSDEMO}
"""
HOST = {"arstall": 2026, "betegnelse": {"kode": "HØST"}}
STRUCTURE: dict[str, list[list[Any]]] = {
    "read.terminer": [[{"id": "t26", **HOST}]],
    "read.undervisning": [
        [{"id": f"e{page}{place}", "undervisningsenheter": {"nodes": [{"termin": HOST}]}} for place in range(200)]
        for page in (1, 2, 3)
    ],
    "read.studieprogram": [],
    "read.evu_kurs": [[]],
}
READS = {name.removeprefix("read."): name for name in STRUCTURE}


@dataclass
class Instance:
    """A task instance with the XComs of earlier tasks; mapped ones have their place before the name."""

    values: dict[str, Any] = field(default_factory=dict)
    pushed: dict[str, Any] = field(default_factory=dict)
    dag_id: str = "fs_canvas_sync__demo"
    run_id: str = "manual__1"
    task_id: str = "read_people"
    map_index: int = 3
    max_tries: int = 4

    def xcom_pull(self, *, task_ids: str, key: str = "return_value", map_indexes: int | None = None) -> Any:
        place = "" if map_indexes is None else f"{map_indexes} "
        return self.values.get(f"{place}{task_ids} {key}")

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = page_store().get(value.name)


def having_read(structure: dict[str, list[list[Any]]]) -> Instance:
    values: dict[str, Any] = {}
    for task_id, pages in structure.items():
        values[f"{task_id} return_value"] = {"pages": len(pages), "gaps": []}
        values |= {f"{task_id} page_{number:04}": page for number, page in enumerate(pages, 1)}
    return Instance(values)


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(tmp_path, "2026")
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(tmp_path))
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", "sqlite://")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", str(tmp_path / "storage"))
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setattr(fs, "XCom", EncryptedPages)


def settle(folder: Path, dialect: str) -> None:
    (folder / "demo.yaml").write_text(INSTITUTION.replace("DIALECT", dialect), encoding="utf-8")


def split(instance: Instance, scope: dict[str, Any] | None = None) -> list[list[dict[str, Any]]]:
    task = SplitPeopleOperator(task_id="split_people", institution="demo", scope=scope or SCOPE, reads=READS)
    return task.execute(cast(Context, {"ti": instance}))


def part(variables: dict[str, Any], about: str) -> dict[str, Any]:
    return {"operation": "emne_studieretter", "variables": variables, "about": about, "rows": 15_000}


def test_the_split_returns_what_each_task_is_to_read() -> None:
    made = split(having_read(STRUCTURE))

    terms = {"organisasjonskode": "184", "terminer": ["t26"]}
    emner = [f"e{page}{place}" for page in (1, 2, 3) for place in range(200)]
    half = sorted(emner)[:300]
    assert made == [
        [part({**terms, "emner": half}, "1 of 2")],
        [part({**terms, "emner": sorted(set(emner) - set(half))}, "2 of 2")],
    ]
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize("lost", ["read.terminer return_value", "read.undervisning page_0002"])
def test_a_structure_of_which_something_is_gone_is_not_split(lost: str) -> None:
    instance = having_read(STRUCTURE)
    del instance.values[lost]

    with pytest.raises(FatalError) as caught:
        split(instance)

    assert caught.value.code is Code.ROWS_MISSING


def test_the_older_dialect_is_split_without_the_structure(tmp_path: Path) -> None:
    settle(tmp_path, "2023")

    made = split(Instance(), {**SCOPE, "sources": ["personrolle"]})

    assert made == [[{"operation": "studieprogramroller", "variables": {"inst": "184"}, "about": "", "rows": 0}]]


def test_every_read_of_the_structure_that_the_split_needs_is_one_that_it_is_told_of() -> None:
    assert set(STRUCTURE_NEEDED["2026"]) == set(READS)


TERMS = {"organisasjonskode": "184", "terminer": ["t26"]}
OF_E1, OF_E2 = {**TERMS, "emner": ["e1"]}, {**TERMS, "emner": ["e2"]}


def rights(*nodes: dict[str, Any], then: str | None = None) -> Answer:
    info = {"hasNextPage": then is not None, "endCursor": then}
    return Answer({"data": {"emneStudieretter": {"nodes": list(nodes), "pageInfo": info, "totalCount": None}}})


def reading(instance: Instance, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    connection = {"conn_type": "fs_graphql", "host": stub.url, "login": "leser", "password": "hemmelig"}
    monkeypatch.setenv("AIRFLOW_CONN_FS_DEMO", json.dumps(connection))
    parts = [part(OF_E1, "1 of 2"), part(OF_E2, "2 of 2")]
    task = ReadPeopleOperator(task_id="read_people", institution="demo", parts=parts)
    return task.execute(cast(Context, {"ti": instance}))


def test_each_part_is_read_with_its_own_variables_on_large_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = Instance()

    with serving(rights({"id": "a"}, then="A"), rights({"id": "b"}), rights({"id": "c"})) as stub:
        returned = reading(instance, stub, monkeypatch)

    asked = [{**body["variables"], "withTotal": None} for body in stub.bodies]
    size = {"first": 1000, "withTotal": None}
    assert asked == [{**OF_E1, **size}, {**OF_E1, **size, "after": "A"}, {**OF_E2, **size}]
    assert instance.pushed == {"page_0001": [{"id": "a"}], "page_0002": [{"id": "b"}], "page_0003": [{"id": "c"}]}
    assert [(one["operation"], one["pages"], one["rows"], one["complete"]) for one in returned] == [
        ("emne_studieretter", 2, 2, True),
        ("emne_studieretter", 1, 1, True),
    ]


def test_a_retry_asks_only_for_what_the_try_before_did_not_get(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Instance(), Instance()

    answers = (rights({"id": "a"}, then="A"), rights({"id": "b"}), Answer(status=403))
    with serving(*answers) as stub, pytest.raises(RosterflowError):
        reading(first, stub, monkeypatch)
    with serving(rights({"id": "c"})) as stub:
        reading(second, stub, monkeypatch)

    assert [body["variables"]["emner"] for body in stub.bodies] == [["e2"]]
    assert second.pushed == {"page_0001": [{"id": "a"}], "page_0002": [{"id": "b"}], "page_0003": [{"id": "c"}]}


@pytest.mark.parametrize(
    ("parts", "label"),
    [
        ([part(OF_E1, "1 of 2")], "emne_studieretter 1 of 2"),
        ([part(OF_E1, "")], "emne_studieretter"),
        ([part(OF_E1, "1 of 2"), part(OF_E2, "2 of 2")], "emne_studieretter 1 of 2 … emne_studieretter 2 of 2"),
    ],
)
def test_a_task_says_what_it_reads(parts: list[dict[str, Any]], label: str) -> None:
    assert ReadPeopleOperator(task_id="read_people", institution="demo", parts=parts).about == label


def test_the_mapped_tasks_are_tried_again_like_all_others_and_named_by_what_they_read() -> None:
    with DAG("people", schedule=None) as dag:
        parts = SplitPeopleOperator(task_id="split_people", institution="demo", scope=SCOPE, reads=READS)
        mapped = mapped_reads("read_people", "demo", parts.output, max_active_tis_per_dagrun=4)

    alone = FSGraphQLOperator(task_id="alone", operation="emner", institution="demo", scope=SCOPE)
    assert isinstance(mapped, MappedOperator)
    assert (mapped.retries, mapped.retry_delay) == (alone.retries, alone.retry_delay)
    assert isinstance(mapped.partial_kwargs["retry_policy"], ByErrorClass)
    assert mapped.partial_kwargs["map_index_template"] == "{{ task.about }}"
    assert mapped.partial_kwargs["max_active_tis_per_dagrun"] == 4
    assert dag.get_task("read_people").upstream_task_ids == {"split_people"}


BATCHES = [
    [Part("brukere", {"a": 1}, "1 of 2"), Part("brukere", {"b": 2}, "2 of 2")],
    [Part("emneroller", {"c": 3})],
]
MADE = [[asdict(part) for part in batch] for batch in BATCHES]


def having_read_people() -> Instance:
    def summary(operation: str, pages: int, *gaps: str) -> dict[str, Any]:
        return {"operation": operation, "pages": pages, "gaps": list(gaps)}

    return Instance(
        {
            "0 read_people return_value": [summary("brukere", 2), summary("brukere", 1, "a page is missing")],
            "0 read_people page_0001": ["a"],
            "0 read_people page_0002": ["b"],
            "0 read_people page_0003": ["c"],
            "1 read_people return_value": [summary("emneroller", 1, "a row is missing")],
            "1 read_people page_0001": ["d"],
            "2 read_people return_value": [summary("of an earlier split", 7)],
        }
    )


def test_a_later_task_finds_every_part_with_its_pages_in_order_and_what_is_unknown() -> None:
    reads, gaps = people_read(cast(Any, having_read_people()), "read_people", MADE)

    (students, staff), (roles,) = BATCHES
    for _ in range(2):
        assert [(part, list(pages())) for part, pages in reads] == [
            (students, [["a"], ["b"]]),
            (staff, [["c"]]),
            (roles, [["d"]]),
        ]
    assert gaps == ["a page is missing", "a row is missing"]


@pytest.mark.parametrize(
    ("place", "other", "lacking"),
    [
        (1, None, "emneroller"),
        (1, [{"operation": "kullroller", "pages": 0, "gaps": []}], "emneroller"),
        (0, [{"operation": "brukere", "pages": 0, "gaps": []}], "brukere 2 of 2"),
    ],
)
def test_a_part_that_was_not_read_is_no_empty_part(
    place: int, other: list[dict[str, Any]] | None, lacking: str
) -> None:
    instance = having_read_people()
    instance.values[f"{place} read_people return_value"] = other

    with pytest.raises(FatalError) as caught:
        people_read(cast(Any, instance), "read_people", MADE)

    assert (caught.value.code, caught.value.message) == (
        Code.ROWS_MISSING,
        f"read_people: {lacking} was not read.",
    )


def test_a_page_of_a_part_that_is_gone_is_no_empty_page() -> None:
    instance = having_read_people()
    del instance.values["0 read_people page_0003"]
    reads, _ = people_read(cast(Any, instance), "read_people", MADE)

    with pytest.raises(FatalError) as caught:
        list(reads[1][1]())

    assert caught.value.code is Code.ROWS_MISSING
