"""The page on training knows every setting and its default."""

from __future__ import annotations

import re
from pathlib import Path

from smallhours.domain.settings import TrainSettings

PAGE = Path(__file__).parents[3] / "docs" / "training.md"
# Too long for a table; the page says where it stands.
ELSEWHERE = {"system_prompt"}


def test_the_table_of_settings_is_complete_and_true() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    defaults = {name: field.default for name, field in TrainSettings.model_fields.items()}
    assert rows.keys() == defaults.keys()
    for name in defaults.keys() - ELSEWHERE:
        shown = rows[name]
        wanted = defaults[name]
        assert shown == (str(wanted).lower() if isinstance(wanted, bool) else str(wanted)), name
