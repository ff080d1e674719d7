"""How the tests are shared out when they run side by side (``make test``)."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TOGETHER = ("e2e", "flow")  # one browser, one finished run: costly to have twice


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares costly fixtures stays in one process: a folder of ``TOGETHER``, elsewhere a file."""
    for item in items:
        place = item.path.relative_to(TESTS)
        name = place.parts[0] if place.parts[0] in TOGETHER else place.as_posix()
        item.add_marker(pytest.mark.xdist_group(name))
