"""Figures of detectors: who is counted where, honest intervals, and no zero for a guard that cannot run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.detection import by_guard, figures_of, groups, measured, swept
from bench.environments import PeerUnavailableError
from scripts.detection_table import table
from smallhours.domain.risk import Finding
from smallhours.safety import evidence, pipeline


def post(level: str, category: str | None = None, language: str = "en", words: int = 5) -> dict[str, object]:
    return {"text": "word " * words, "level": level, "category": category, "language": language}


POSTS = [
    post("imminent", "suicide"),
    post("elevated", "abuse", "es", words=15),
    post("low", words=40),
    post("none", language="es", words=100),
]


def test_each_message_stands_in_the_groups_of_its_labels_and_length() -> None:
    found = dict(groups(POSTS))
    assert found["found"] == [0, 1]
    assert found["false alarms"] == [2, 3]
    assert found["found, category abuse"] == found["found, language es"] == [1]
    assert found["found, length 0-14 words"] == [0]
    assert found["found, length 15-39 words"] == [1]
    assert found["false alarms, length 40-99 words"] == [2]
    assert found["false alarms, length 100+ words"] == [3]
    assert not any("None" in name for name in found)


def test_a_share_carries_its_interval_and_count() -> None:
    one = figures_of("guard", POSTS, [True, False, False, False])["guard: found"]
    assert (one["value"], one["runs"]) == (0.5, 2)
    assert one["low"] == pytest.approx(0.0945, abs=1e-4)  # Wilson's formula by hand for 1 of 2
    assert one["high"] == pytest.approx(0.9055, abs=1e-4)
    none = figures_of("guard", POSTS, [False] * 4)["guard: found"]
    assert none["value"] == 0 < none["high"], "nothing of two is not certainty"


def script(folder: Path, body: str) -> Path:
    path = folder / "guard.py"
    path.write_text(f"import sys, json\n{body}\n", encoding="utf-8")
    return path


def test_a_guard_answers_each_message(tmp_path: Path) -> None:
    guard = script(tmp_path, "for line in sys.stdin: print(json.dumps('die' in json.loads(line)['text']))")
    assert by_guard(guard, Path(sys.executable), ["to die\nfor", "hello"]) == [True, False]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("print('true')", "1 answers to 2"),
        ("print(0); print(1)", "2 answers to 2"),
        ("print('well')", "JSON Lines"),
        ("raise SystemExit('no model here')", "no model here"),
        ("import time; time.sleep(9)", "not done after"),
    ],
)
def test_a_guard_that_fails_is_missing_with_its_reason(tmp_path: Path, body: str, reason: str) -> None:
    guard = script(tmp_path, body)
    with pytest.raises(PeerUnavailableError, match=reason):
        by_guard(guard, Path(sys.executable), ["a", "b"], seconds=2)


def test_what_is_missing_is_never_zero_and_says_so_in_the_table() -> None:
    def unavailable(texts: list[str]) -> list[bool]:
        raise PeerUnavailableError("no server")

    figures = measured("guard", POSTS, unavailable) | figures_of("ours", POSTS, [True, True, False, False])
    assert figures["guard: found"]["value"] is None
    shown = table({"date": "2026-11-24", "figures": figures})
    assert "| guard | not measured: no server |" in shown
    assert "| ours | 100 % (34 to 100; n = 2) | 0 % (0 to 66; n = 2) |" in shown
    assert "| Spanish | 100 % (21 to 100; n = 1) | 0 % (0 to 79; n = 1) |" in shown


def test_the_curve_never_falls_as_the_threshold_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    def learned(text: str) -> list[Finding]:
        return [Finding(detector=evidence.HEAD, rule="learned", span=(0, len(text)), score=float(text))]

    monkeypatch.setattr(pipeline, "INPUT_DETECTORS", {evidence.HEAD: learned})
    one = evidence.Evidence(bias=0.0, common=(1.0, 0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(evidence, "shipped", lambda: {"short_other": one})
    posts = [post("high") | {"text": "1"}, post("low") | {"text": "-1"}]
    curve = swept(posts, [-2.0, 0.0, 2.0])
    assert [(p["found"], p["false_alarms"]) for p in curve] == [(1.0, 1.0), (1.0, 0.0), (0.0, 0.0)]
