"""``python -m smallhours.train.risk``: train the head and write it where the safety path reads it."""

from __future__ import annotations

import sys

from smallhours.train.risk.run import main

if __name__ == "__main__":
    main(sys.argv[1:], sys.stdout.write)
