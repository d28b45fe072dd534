"""Start the sandbox: ``PYTHONPATH=include python -m sandbox``; Ctrl-C or SIGTERM ends it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from sandbox.serving import PortTaken, RunningSandbox
from sandbox.world import DIALECTS, TERMS, InvalidSetting, Settings, World

DEFAULTS = Settings()
SMTP_ABOVE_HTTP = 25


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; 0 after a clean stop, 1 with one line on what is missing when it cannot start."""
    options = _parser().parse_args(arguments)
    smtp_port = options.smtp_port if options.smtp_port is not None else options.port + SMTP_ABOVE_HTTP
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        settings = Settings(
            options.seed,
            options.size,
            options.dialect,
            options.year,
            options.term,
            options.college,
            options.college_begins,
        )
        sandbox = RunningSandbox(World(settings), host=options.host, port=options.port, smtp_port=smtp_port)
    except InvalidSetting as error:
        print(f"The sandbox cannot start: {error}", file=sys.stderr)
        return 1
    except PortTaken as error:
        print(
            f"The sandbox cannot start: {error}. Choose another, for example PORT={options.port + 100}.",
            file=sys.stderr,
        )
        return 1
    with sandbox:
        print(_welcome(sandbox), flush=True)
        stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m sandbox", description="A local FS, Canvas, Campus Cafe, CourseKey and mail server, all synthetic."
    )
    port = os.environ.get("PORT") or "8900"
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=port, help="HTTP port (default: PORT from the environment, else 8900)")
    add("--smtp-port", type=int, help=f"SMTP port (default: the HTTP port + {SMTP_ABOVE_HTTP})")
    add("--seed", type=int, default=DEFAULTS.seed, help="same seed, same university (default: %(default)s)")
    add("--size", default=DEFAULTS.size, help="small, demo or full (default: %(default)s)")
    add("--dialect", choices=DIALECTS, default=DEFAULTS.dialect, help="of /fs/graphql (default: %(default)s)")
    add("--year", type=int, default=DEFAULTS.year, help="year in force (default: %(default)s)")
    add("--college", default=DEFAULTS.college, help="size of the college: demo or full (default: %(default)s)")
    add("--college-begins", default=DEFAULTS.college_begins, help="first day of its fall (default: in August)")
    add("--term", choices=TERMS, default=DEFAULTS.term, help="term in force (default: %(default)s)")
    return parser


def _welcome(sandbox: RunningSandbox) -> str:
    url = sandbox.url
    rows = (
        ("Canvas tree", url, ""),
        ("FS", f"{url}/fs/graphql", "user sandbox, password sandbox (or X-Gravitee-Api-Key: sandbox-key)"),
        ("FS of 2023", f"{url}/fs/2023/graphql", "the same"),
        ("Canvas", f"{url}/canvas/api/v1", "token sandbox-canvas-token (read only: sandbox-canvas-readonly)"),
        ("Campus Cafe", f"{url}/campuscafe/api/v1", "token sandbox-campuscafe-token"),
        (
            "CourseKey",
            f"{url}/coursekey/api/v1",
            "key sandbox-coursekey-key-1 (548156, 548157) or …-key-2 (612001)",
        ),
        ("Mail", f"{url}/mail", f"SMTP on port {sandbox.smtp_port}, no log-in"),
        ("Control", f"{url}/control/state", "POST reset, day-of-change, faults, canvas, college/…, coursekey/…"),
    )
    width = max(len(address) for _, address, _ in rows)
    table = "\n".join(f"  {name:<12} {address:<{width}}  {access}".rstrip() for name, address, access in rows)
    return f"The sandbox is running; Ctrl-C stops it.\n\n{table}\n"


if __name__ == "__main__":
    sys.exit(main())
