"""One tree of errors; the class says what happens next, the code says what to do about it.

    RosterflowError
    ├── FatalError       stop this run: repeating it would fail again
    ├── RetryableError   the same call may go through later; Airflow retries with back-off
    ├── RowError         this row only; the rest of the batch goes on, the row stays visible
    └── NeedsPerson      parked until somebody decides or repairs

Every error carries a :class:`Code`. The code has one remedy sentence here and one section in ``docs/runbook.md``
(a test holds the two together). Messages name institution, object, field and page, never a person, a password or a key.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """What went wrong, as the anchor of its section in ``docs/runbook.md``."""

    SETTINGS_INVALID = "settings-invalid"
    CONNECTION_MISSING = "connection-missing"
    CONNECTION_INVALID = "connection-invalid"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    SERVER_ERROR = "server-error"
    BAD_RESPONSE = "bad-response"
    QUERY_REFUSED = "query-refused"
    PARTIAL_RESPONSE = "partial-response"
    CURSOR_REPEATED = "cursor-repeated"
    PAGE_INFO_MISSING = "page-info-missing"
    PAGE_TOO_LARGE = "page-too-large"
    ROWS_MISSING = "rows-missing"
    NULL_NODE = "null-node"
    EMPTY_READ = "empty-read"
    ROW_INVALID = "row-invalid"
    ID_COLLISION = "id-collision"
    ROOM_CODE_UNKNOWN = "room-code-unknown"
    EMNE_UNKNOWN = "emne-unknown"
    CANVAS_CHANGED = "canvas-changed"
    ROW_REFUSED = "row-refused"
    IMPORT_FAILED = "import-failed"
    IMPORT_ABORTED = "import-aborted"
    IMPORT_SLOW = "import-slow"
    IMPORT_LOST = "import-lost"
    PLAN_STALE = "plan-stale"
    PLAN_UNKNOWN = "plan-unknown"
    WRITER_BUSY = "writer-busy"
    POOL_MISSING = "pool-missing"
    STORE_UNAVAILABLE = "store-unavailable"
    STORE_OUTDATED = "store-outdated"
    PAGE_KEY_INVALID = "page-key-invalid"
    OUTCOME_UNKNOWN = "outcome-unknown"
    COURSEKEY_REFUSED = "coursekey-refused"
    ATTENDANCE_NAME_UNKNOWN = "attendance-name-unknown"
    OWNER_UNKNOWN = "owner-unknown"
    ZONE_REFUSED = "zone-refused"
    EMAIL_MISSING = "email-missing"
    ACCOUNT_TAKEN = "account-taken"
    COURSE_NAME_TAKEN = "course-name-taken"
    GONE_IN_COURSEKEY = "gone-in-coursekey"
    SITE_CHANGED = "site-changed"
    TRIES_USED_UP = "tries-used-up"
    ATTENDANCE_INCOMPLETE = "attendance-incomplete"
    APPROVAL_INVALID = "approval-invalid"
    REQUEST_UNKNOWN = "request-unknown"
    MAIL_FAILED = "mail-failed"
    SILENCE = "silence"
    UNEXPECTED = "unexpected"


REMEDIES: dict[Code, str] = {
    Code.SETTINGS_INVALID: "Correct what the message names: in the institution's YAML file, or in the environment of every component.",
    Code.CONNECTION_MISSING: "Create the named connection under Admin > Connections and press Test.",
    Code.CONNECTION_INVALID: "Correct the named field of the connection under Admin > Connections and press Test.",
    Code.UNREACHABLE: "Check the address in the connection and that the network lets Airflow's workers reach it.",
    Code.UNAUTHORIZED: "Renew the user name, password or token in the connection and press Test.",
    Code.FORBIDDEN: "Ask the system's owner for the permission named in the message.",
    Code.THROTTLED: "Nothing: the run slows down and goes on. If it keeps happening, lower the page size or move the schedule.",
    Code.SERVER_ERROR: "Nothing at first: the call is repeated. If it lasts, report the time and the address to the system's owner.",
    Code.BAD_RESPONSE: "Check that the address in the connection is the API itself and not a log-in page or a proxy.",
    Code.QUERY_REFUSED: "Check the dialect and the feature flags in the institution's settings against what the server offers.",
    Code.PARTIAL_RESPONSE: "Nothing was removed. Clear the failed task to read again; if it lasts, ask the source's owner about the field in the message.",
    Code.CURSOR_REPEATED: "Nothing was removed. Clear the failed task to read again; if it lasts, report the operation to the source's owner.",
    Code.PAGE_INFO_MISSING: "Nothing was removed. Report the operation to the source's owner: a page without pageInfo cannot be trusted.",
    Code.PAGE_TOO_LARGE: "Lower the page size in the institution's settings; the server answered more rows than were asked for.",
    Code.ROWS_MISSING: "Nothing was removed. Clear the failed task to read again; rows that the source itself counted did not arrive.",
    Code.NULL_NODE: "Ask the source's owner whether the API user may read these rows; nothing is removed while they are unknown.",
    Code.EMPTY_READ: "If the source really is empty, run once by hand with that kind in 'accept_empty'; else repair the source.",
    Code.ROW_INVALID: "Correct the row in the student system; until then it is not sent and nothing it names is removed.",
    Code.ID_COLLISION: "Correct one of the two rows in the student system so that their codes differ; neither new one is sent.",
    Code.ROOM_CODE_UNKNOWN: "Add the room code to 'room_codes' in the institution's settings, or correct it in FS.",
    Code.EMNE_UNKNOWN: "Look up the emne's code in FS and start the run again with it; this one did what the others ask for.",
    Code.CANVAS_CHANGED: "If it is a mistake, correct what the message names; if it is meant, run 'python -m rosterflow rebase'.",
    Code.ROW_REFUSED: "Read Canvas's own words in the message, repair the cause there or in the source; the row is tried again by itself.",
    Code.IMPORT_FAILED: "Open the SIS import in Canvas for its messages; what was applied is known and the next run sends the rest.",
    Code.IMPORT_ABORTED: "Find out in Canvas who aborted the SIS import; the next run sends what is missing.",
    Code.IMPORT_SLOW: "Nothing: the import goes on in Canvas and the next run picks it up. Raise 'canvas.import_hours' if this is normal.",
    Code.IMPORT_LOST: "Nothing: Canvas has no trace of the import, so the next run plans again and sends it.",
    Code.PLAN_STALE: "Nothing: Canvas changed since the plan was shown, so that change was refused; the next run plans again.",
    Code.PLAN_UNKNOWN: "Look up the plan with 'python -m rosterflow run list'; plans are kept for 'retention.plans_days'.",
    Code.WRITER_BUSY: "Wait: another run writes to the system that the message names; this one continues after it.",
    Code.POOL_MISSING: "Create the named pool with one slot and 'include deferred' under Admin > Pools.",
    Code.STORE_UNAVAILABLE: "Check that the database in ROSTERFLOW_DATABASE_URL runs and can be reached from the workers.",
    Code.STORE_OUTDATED: "Run 'python -m rosterflow store upgrade' once after installing a new version.",
    Code.PAGE_KEY_INVALID: "Set ROSTERFLOW_PAGE_KEYS to the same Fernet keys on every worker, the newest first.",
    Code.OUTCOME_UNKNOWN: "Nothing: CourseKey is asked whether it happened before anything is sent again.",
    Code.COURSEKEY_REFUSED: "Read CourseKey's own words in the message, correct the record in Campus Cafe and requeue the entry.",
    Code.ATTENDANCE_NAME_UNKNOWN: "Let RGENCD's description be 'enrollment code number:name' with the name as CourseKey has it, or have CourseKey add it; then requeue.",
    Code.OWNER_UNKNOWN: "Have CourseKey make COURSEKEY_COURSE_OWNER a user under this auth key, or name one who is a user under every key; then requeue.",
    Code.ZONE_REFUSED: "Correct the time zone beside the auth key in CRSKEYAUTH; then requeue.",
    Code.EMAIL_MISSING: "Give the person an e-mail address in Campus Cafe: the entry is tried again when it arrives.",
    Code.ACCOUNT_TAKEN: "Decide whose account in CourseKey it is: correct the e-mail address in Campus Cafe, or the issued ID in CourseKey; then requeue.",
    Code.COURSE_NAME_TAKEN: "Let COURSEKEY_COURSE_NAME_FORMAT give every section its own name, or rename the other course in CourseKey; then requeue.",
    Code.GONE_IN_COURSEKEY: "Find out who removed it in CourseKey; requeue the entry to have it made again.",
    Code.SITE_CHANGED: "Give the section its old course site back, or move the course in CourseKey by hand: it would be another school's.",
    Code.TRIES_USED_UP: "Look at the last error in the queue history, repair its cause and requeue the entry.",
    Code.ATTENDANCE_INCOMPLETE: "Mend what the import's mail names and clear the failed tasks, or run the days by hand; nothing is booked twice.",
    Code.APPROVAL_INVALID: "Answer again with a comment, as one of the approvers of the institution's settings.",
    Code.REQUEST_UNKNOWN: "Answer the request that the sync made; an approval that is started by hand needs the number of one of its own.",
    Code.MAIL_FAILED: "Check the connection 'smtp_default' and the mail server.",
    Code.SILENCE: "Look at the institution's last runs in Airflow: why has none been complete?",
    Code.UNEXPECTED: "Send the task log to the developers: this is a fault in Rosterflow.",
}


class RosterflowError(Exception):
    """Base of every error we raise.

    :param code: what went wrong.
    :param message: one sentence for a person: what, and where (institution, object, field, page).
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def remedy(self) -> str:
        """One sentence: what a person does about it."""
        return REMEDIES[self.code]

    @property
    def runbook(self) -> str:
        """The section of ``docs/runbook.md`` on this code."""
        return f"docs/runbook.md#{self.code}"

    def __str__(self) -> str:
        return f"{self.message} [{self.code}] {self.remedy}"


class FatalError(RosterflowError):
    """Stop this run: repeating it would fail again."""


class RetryableError(RosterflowError):
    """The same call may go through later.

    :param retry_after: seconds the other side asked us to wait, or ``None`` when it did not say.
    """

    def __init__(self, code: Code, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class RowError(RosterflowError):
    """This row only: it is recorded and shown, and the rest of the batch goes on."""


class NeedsPerson(RosterflowError):
    """Parked until somebody decides or repairs."""
