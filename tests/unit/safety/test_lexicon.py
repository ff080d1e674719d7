"""The lexicons as data: all of them read, and a few promises hold for every rule."""

from __future__ import annotations

import pytest

from smallhours.domain.errors import DataError
from smallhours.domain.risk import RiskLevel
from smallhours.safety import lexicon
from smallhours.safety.lexicon import DETECTORS, Excuse, Rule, entries


def test_every_file_reads_and_every_detector_has_rules() -> None:
    for detector in DETECTORS:
        assert any(isinstance(entry, Rule) for entry, _ in entries(detector))


def test_crisis_rules_of_the_writer_have_a_category() -> None:
    for detector in ("crisis", "harm"):
        for entry, _ in entries(detector):
            if isinstance(entry, Rule) and entry.level.is_crisis:
                assert entry.category is not None, entry.name


def test_scope_and_reply_rules_carry_no_crisis_level() -> None:
    for detector in ("scope", "reply"):
        for entry, _ in entries(detector):
            assert not isinstance(entry, Rule) or entry.level is RiskLevel.NONE


def test_no_exception_keeps_more_than_elevated() -> None:
    for detector in DETECTORS:
        for entry, _ in entries(detector):
            assert not isinstance(entry, Excuse) or entry.keeps.rank <= RiskLevel.ELEVATED.rank


def test_a_mistake_names_file_and_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"crisis": [{"name": "odd", "level": "high", "phrases": ["(open"]}], "nonsense": []}
    monkeypatch.setattr(lexicon, "_documents", lambda: iter([("rules.x.toml", broken)]))
    with pytest.raises(DataError) as caught:
        lexicon._everything.__wrapped__()
    assert "rules.x.toml" in str(caught.value)
    assert "odd" in str(caught.value)
    assert "nonsense" in str(caught.value)
