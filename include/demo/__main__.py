"""``python -m demo``; see `demo.play`."""

from __future__ import annotations

import signal
import sys

if __name__ == "__main__":
    # While the modules load nothing runs that would need stopping: Ctrl-C may simply end us.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from demo.play import main

    sys.exit(main())
