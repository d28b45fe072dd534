"""Which TCP port a server of ours may use."""

from __future__ import annotations

import socket


def free_port(preferred: int = 0) -> int:
    """Return `preferred` when nothing listens on it, else a port the system picks.

    The port is tried on all interfaces, since some of Airflow's servers bind there.
    """
    for port in (preferred, 0):
        with socket.socket() as probe:
            # Connections of an earlier run still closing must not push us off the usual port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise OSError("the system has no free TCP port")
