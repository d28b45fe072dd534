"""The queue of imports, abort, faults and the routes, reference/canvas.md §2."""

from __future__ import annotations

import io
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.canvas.objects import Course
from sandbox.canvas.routes import routes
from sandbox.faults import Fault
from tests.sandbox.rest_client import READ_ONLY, RestClient
from tests.sandbox.sis_building import ACCOUNTS, COURSES, Clock, csv_of, zip_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

IMPORTS = "/accounts/self/sis_imports"
ACCOUNT = csv_of(ACCOUNTS, "A1,,Konto,active")


class SisClient(RestClient):
    """A client of the whole Canvas, SIS imports included."""

    def __init__(self) -> None:
        super().__init__(now=Clock())
        self._app = Starlette(routes=[Mount("/canvas", routes=routes(self.world))])  # type: ignore[arg-type]

    def send(self, content: str = ACCOUNT, **params: Any) -> Any:
        """Post one CSV as a raw body; the SisImport as it is answered."""
        headers = {"Content-Type": "text/csv"}
        response = self.post(IMPORTS, content=content.encode(), headers=headers, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def ended(self, batch: dict[str, Any]) -> Any:
        """The SisImport once it has ended."""
        deadline = time.monotonic() + 10
        while (found := self.shown(batch))["workflow_state"] in ("initializing", "created", "importing"):
            assert time.monotonic() < deadline, found
        return found

    def shown(self, batch: dict[str, Any]) -> Any:
        """The SisImport as it is now."""
        return self.get(f"{IMPORTS}/{batch['id']}").json()

    def has_account(self, sis_id: str) -> bool:
        return self.canvas.accounts.by_sis_id(sis_id) is not None


@pytest.fixture
def canvas() -> Iterator[SisClient]:
    client = SisClient()
    yield client
    client.canvas.close()


def hold_imports(canvas: SisClient) -> None:
    """Let the next import stay in `importing` until it is aborted."""
    canvas.world.faults.add(Fault("canvas", "slow_import", seconds=600))


def test_an_import_is_answered_before_it_has_begun_with_exactly_canvas_keys(canvas: SisClient) -> None:
    hold_imports(canvas)
    canvas.send()

    created = canvas.send()

    assert created == {
        "id": 2,
        "created_at": created["created_at"],
        "started_at": None,
        "ended_at": None,
        "updated_at": created["created_at"],
        "progress": 0,
        "workflow_state": "created",
        "data": {"import_type": "instructure_csv"},
        "batch_mode": None,
        "batch_mode_term_id": None,
        "multi_term_batch_mode": None,
        "override_sis_stickiness": None,
        "add_sis_stickiness": None,
        "clear_sis_stickiness": None,
        "update_sis_id_if_login_claimed": False,
        "diffing_data_set_identifier": None,
        "diffing_remaster": None,
        "diffed_against_import_id": None,
        "diffing_drop_status": None,
        "diffing_user_remove_status": None,
        "skip_deletes": False,
        "change_threshold": None,
        "diff_row_count_threshold": None,
        "user": {
            "id": 1,
            "created_at": created["user"]["created_at"],
            "name": "Integrasjon",
            "sortable_name": "Integrasjon",
            "short_name": "Integrasjon",
        },
    }


def test_a_finished_import_tells_counts_statistics_and_what_was_supplied(canvas: SisClient) -> None:
    ended = canvas.ended(canvas.send())

    data = ended["data"]
    assert (ended["workflow_state"], ended["progress"]) == ("imported", 100)
    assert {name: number for name, number in data["counts"].items() if number} == {"accounts": 1}
    assert len(data["counts"]) == 24
    assert (data["supplied_batches"], data["completed_importers"], data["running_immediately"]) == (
        ["account"],
        ["account"],
        True,
    )
    assert data["statistics"]["Account"] == {"created": 1, "restored": 0, "deleted": 0}
    assert (data["statistics"]["total_state_changes"], len(data["statistics"])) == (1, 14)
    assert [file["filename"] for file in ended["csv_attachments"]] == ["sis_import.csv"]
    assert "processing_warnings" not in ended


def test_one_import_runs_at_a_time_and_the_others_wait_in_order(canvas: SisClient) -> None:
    hold_imports(canvas)
    first, second, third = (canvas.send() for _ in range(3))
    canvas.until(f"{IMPORTS}/{first['id']}", "workflow_state", "importing")

    waiting = [canvas.shown(batch)["workflow_state"] for batch in (second, third)]
    running = [batch["id"] for batch in canvas.get(f"{IMPORTS}/importing").json()["sis_imports"]]
    canvas.put(f"{IMPORTS}/{first['id']}/abort")

    began = [canvas.ended(batch)["started_at"] for batch in (first, second, third)]
    assert (waiting, running) == (["created", "created"], [first["id"]])
    assert began == sorted(began)
    assert canvas.get(f"{IMPORTS}/importing").json() == {"sis_imports": []}


def test_an_aborted_import_keeps_its_applied_rows_and_cannot_be_aborted_twice(canvas: SisClient) -> None:
    hold_imports(canvas)
    batch = canvas.send()
    path = f"{IMPORTS}/{batch['id']}/abort"
    canvas.until(f"{IMPORTS}/{batch['id']}", "progress", 99)  # type: ignore[arg-type]

    answers = [canvas.put(path), canvas.put(path)]

    assert [answer.status_code for answer in answers] == [200, 404]
    assert (canvas.shown(batch)["workflow_state"], canvas.has_account("A1")) == ("aborted", True)


def test_abort_all_pending_spares_the_one_that_runs(canvas: SisClient) -> None:
    hold_imports(canvas)
    batches = [canvas.send() for _ in range(3)]
    canvas.until(f"{IMPORTS}/{batches[0]['id']}", "workflow_state", "importing")

    answer = canvas.put(f"{IMPORTS}/abort_all_pending").json()

    shown = [canvas.shown(batch) for batch in batches]
    assert answer == {"aborted": True}
    assert [batch["workflow_state"] for batch in shown] == ["importing", "aborted", "aborted"]
    assert [batch["progress"] for batch in shown[1:]] == [100, 100]


def test_the_fault_abort_import_ends_it_aborted_after_a_part_of_its_rows(canvas: SisClient) -> None:
    canvas.world.faults.add(Fault("canvas", "abort_import"))

    ended = canvas.ended(canvas.send(csv_of(ACCOUNTS, "A1,,En,active", "A2,,To,active")))

    assert (ended["workflow_state"], ended["progress"] < 100) == ("aborted", True)
    assert (canvas.has_account("A1"), canvas.has_account("A2")) == (True, False)


def test_the_fault_fail_import_ends_it_with_canvas_message_for_a_crash(canvas: SisClient) -> None:
    canvas.world.faults.add(Fault("canvas", "fail_import"))

    ended = canvas.ended(canvas.send())

    text = "Error while importing CSV. Please contact support. (Error report 1)"
    assert (ended["workflow_state"], ended["processing_errors"]) == ("failed_with_messages", [["", text]])


def test_messages_are_listed_up_to_24_and_paged_in_full_newest_first(canvas: SisClient) -> None:
    rows = [f"A{number},NOWHERE,Navn,active" for number in range(30)]

    ended = canvas.ended(canvas.send(csv_of(ACCOUNTS, *rows)))
    page = canvas.get(f"{IMPORTS}/{ended['id']}/errors", params={"per_page": 20, "page": 2})

    listed = ended["processing_warnings"]
    assert (len(listed), listed[0]) == (25, ["sis_import.csv", "Parent account didn't exist for A0"])
    assert listed[24] == [
        "and 6 more warnings that were not included",
        "Download the error file to see all warnings.",
    ]
    found = page.json()["sis_import_errors"]
    assert [error["row"] for error in found] == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    assert found[-1] == {
        "sis_import_id": ended["id"],
        "file": "sis_import.csv",
        "message": "Parent account didn't exist for A0",
        "row_info": None,
        "row": 2,
    }


def test_the_file_of_errors_can_be_downloaded(canvas: SisClient) -> None:
    ended = canvas.ended(canvas.send(csv_of(ACCOUNTS, "A1,NOWHERE,Navn,active")))

    text = canvas.get(ended["errors_attachment"]["url"], token=None).text

    assert ended["errors_attachment"]["filename"] == "sis_errors_attachment_1.csv"
    assert text == ("sis_import_id,file,message,row\r\n1,sis_import.csv,Parent account didn't exist for A1,2\r\n")


def test_the_errors_of_all_imports_can_be_kept_to_failures(canvas: SisClient) -> None:
    canvas.ended(canvas.send(csv_of(ACCOUNTS, ",,Uten id,active")))
    canvas.ended(canvas.send("tull\n"))

    everything = canvas.get("/accounts/self/sis_import_errors").json()["sis_import_errors"]
    failures = canvas.get("/accounts/self/sis_import_errors?failure=true").json()["sis_import_errors"]

    assert [error["sis_import_id"] for error in everything] == [2, 1]
    assert [error["message"] for error in failures] == ["Couldn't find Canvas CSV import headers"]


def as_zip() -> dict[str, Any]:
    return {"content": zip_of({"a.csv": ACCOUNT}), "headers": {"Content-Type": "application/zip"}}


@pytest.mark.parametrize(
    "request_form",
    [
        {"files": {"attachment": ("konto.csv", ACCOUNT)}},
        {"files": {"attachment": ("alt.zip", zip_of({"a.csv": ACCOUNT}))}, "data": {"skip_deletes": "true"}},
        {"content": ACCOUNT, "headers": {"Content-Type": "text/csv; charset=UTF-8"}},
        {"content": ACCOUNT, "headers": {"Content-Type": "text/plain"}},
        {"content": ACCOUNT, "headers": {"Content-Type": "application/zip"}, "params": {"extension": "csv"}},
        as_zip(),
        as_zip() | {"headers": {"Content-Type": "application/octet-stream"}},
    ],
)
def test_every_form_of_upload_is_taken(canvas: SisClient, request_form: dict[str, Any]) -> None:
    response = canvas.post(f"{IMPORTS}.json", **request_form)

    assert response.status_code == 200
    assert canvas.ended(response.json())["workflow_state"] == "imported"
    assert canvas.has_account("A1")


def test_an_upload_can_be_announced_and_sent_afterwards(canvas: SisClient) -> None:
    announced = canvas.post(IMPORTS, json={"pre_attachment": {"name": "konto.csv"}}).json()
    target = announced["pre_attachment"]

    answer = canvas.post(
        target["upload_url"],
        token=None,
        data=target["upload_params"],
        files={target["file_param"]: ("konto.csv", ACCOUNT)},
    )
    again = canvas.post(target["upload_url"], token=None, files={"file": ("konto.csv", ACCOUNT)})

    assert (announced["workflow_state"], answer.status_code, again.status_code) == ("initializing", 201, 404)
    assert canvas.get(answer.headers["Location"]).json()["id"] == announced["id"]
    assert (canvas.ended(announced)["workflow_state"], canvas.has_account("A1")) == ("imported", True)


def test_flags_are_answered_and_the_two_that_hang_on_override_only_with_it(canvas: SisClient) -> None:
    def flags(**params: str) -> list[Any]:
        answered = canvas.send(**params)
        names = ("override_sis_stickiness", "add_sis_stickiness", "clear_sis_stickiness", "skip_deletes")
        return [answered[name] for name in names]

    alone = flags(add_sis_stickiness="true", clear_sis_stickiness="true", skip_deletes="1")
    together = flags(override_sis_stickiness="1", clear_sis_stickiness="true", skip_deletes="false")

    assert (alone, together) == ([None, None, None, True], [True, None, True, False])


ROOT_ONLY = {"errors": ["SIS imports can only be executed on root accounts"]}
NO_FILE = {"error": True, "error_message": "Missing attachment"}
NOT_UTF_8 = {"error": "Invalid content type, UTF-8 required"}


@pytest.mark.parametrize(
    ("path", "request_form", "status", "body"),
    [
        ("/accounts/sis_account_id:FSDEMO/sis_imports", {"content": ACCOUNT}, 400, ROOT_ONLY),
        (IMPORTS, {"data": {"a": "b"}, "files": {"other": ("a.csv", ACCOUNT)}}, 400, NO_FILE),
        (
            IMPORTS,
            {"content": ACCOUNT, "headers": {"Content-Type": "text/csv; charset=iso-8859-1"}},
            400,
            NOT_UTF_8,
        ),
        (
            IMPORTS,
            {"content": ACCOUNT, "params": {"batch_mode": "1"}},
            400,
            {"message": "The sandbox does not offer batch_mode: it does neither batch mode nor diffing."},
        ),
        (
            IMPORTS,
            {"content": ACCOUNT, "params": {"diffing_data_set_identifier": "fs"}},
            400,
            {
                "message": "The sandbox does not offer diffing_data_set_identifier: "
                "it does neither batch mode nor diffing."
            },
        ),
        (
            IMPORTS,
            {"content": ACCOUNT, "params": {"import_type": "ims"}},
            500,
            {
                "errors": [{"message": "An error occurred.", "error_code": "internal_server_error"}],
                "error_report_id": 1,
            },
        ),
    ],
)
def test_what_canvas_does_not_take_it_says_in_its_own_shape_and_queues_nothing(
    canvas: SisClient, path: str, request_form: dict[str, Any], status: int, body: Any
) -> None:
    response = canvas.post(path, **request_form)

    assert (response.status_code, response.json()) == (status, body)
    assert canvas.get(IMPORTS).json() == {"sis_imports": []}


def test_a_canvas_without_sis_imports_says_so(canvas: SisClient) -> None:
    canvas.canvas.configure(sis_imports_enabled=False)

    response = canvas.get(IMPORTS)

    assert (response.status_code, response.json()) == (
        403,
        {"errors": ["SIS imports are not enabled for this account"]},
    )


def test_a_token_without_sis_rights_gets_nowhere(canvas: SisClient) -> None:
    tries: list[httpx.Response] = [
        canvas.post(IMPORTS, token=READ_ONLY, content=ACCOUNT),
        canvas.get(IMPORTS, token=READ_ONLY),
        canvas.put(f"{IMPORTS}/abort_all_pending", token=READ_ONLY),
    ]

    assert [response.status_code for response in tries] == [403, 403, 403]


def test_imports_are_listed_newest_first_and_filtered_by_time_and_state(canvas: SisClient) -> None:
    first, second = canvas.ended(canvas.send()), canvas.ended(canvas.send("tull\n"))

    def listed(**params: Any) -> list[int]:
        return [batch["id"] for batch in canvas.get(IMPORTS, params=params).json()["sis_imports"]]

    assert listed() == [second["id"], first["id"]]
    assert listed(per_page=1, page=2) == [first["id"]]
    assert listed(created_since=second["created_at"]) == [second["id"]]
    assert listed(created_before=first["created_at"]) == [first["id"]]
    assert listed(**{"workflow_state[]": ["failed_with_messages", "aborted"]}) == [second["id"]]


def test_an_import_that_breaks_is_shown_as_failed_and_the_next_one_runs(
    canvas: SisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest_of_the_course = Course.__init__

    def breaks(self: Course, **fields: Any) -> None:
        if fields["sis_id"] == "K1":
            raise MemoryError("ingen plass")
        rest_of_the_course(self, **fields)

    monkeypatch.setattr(Course, "__init__", breaks)

    broken = canvas.ended(canvas.send(csv_of(COURSES, "K1,S,L,,,active")))
    after = canvas.ended(canvas.send())

    assert (broken["workflow_state"], broken["data"]["error_message"]) == ("failed", "ingen plass")
    assert after["workflow_state"] == "imported"


def test_a_zip_of_many_chunks_lets_others_read_while_it_runs(canvas: SisClient) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        rows = (f"K{number},K{number},Kurs {number},,,active" for number in range(3000))
        archive.writestr("courses.csv", csv_of(COURSES, *rows))
    batch = canvas.post(IMPORTS, content=buffer.getvalue()).json()

    seen = set()
    while (shown := canvas.shown(batch))["workflow_state"] != "imported":
        seen.add(shown["progress"])

    assert (shown["data"]["counts"]["courses"], shown["data"]["running_immediately"]) == (3000, False)
    assert all(progress < 100 for progress in seen)
