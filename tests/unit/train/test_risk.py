"""Training the head: the same text gives the same bytes, and text is held aside by style."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smallhours.domain.artifacts import hash_file
from smallhours.domain.risk import RiskLevel
from smallhours.safety.classifier import RiskHead, read_head
from smallhours.safety.evidence import Scores
from smallhours.safety.reader import RiskReader, packed, unpacked
from smallhours.semantics.universal import TunedUniversal
from smallhours.semantics.vectors import DIMENSIONS, Vectors
from smallhours.train.risk import fitting, head, run
from smallhours.train.risk.figures import wilson
from smallhours.train.risk.recipe import Recipe
from smallhours.train.risk.text import DATA, Line, folds, read_lines, read_replies
from smallhours.train.risk.weighing import ALARMS, Seen, is_found, weigh


class Spelled:
    """Vectors from letters alone: quick, and good enough to tell two word lists apart."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            for letter in text:
                found[row, ord(letter) % DIMENSIONS] += 1
        rows: Vectors = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return rows


def silent(_: str) -> None:
    return None


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rows = []
    for n in range(60):
        dark, level, category = n % 2 == 0, "none", None
        if dark:
            level, category = ("high", "suicide") if n % 4 else ("elevated", "abuse")
        text = f"{'zzz xxx zzz' if dark else 'aaa eee ooo'} number {n}"
        rows.append({"text": text, "level": level, "category": category, "style": f"style {n // 4}"})
    path = tmp_path / "words.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_the_same_text_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run.train([source], tmp_path / name, Spelled(), silent, rules=False)
    for name in ("risk_head.npz", "risk_head.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_what_was_trained_can_be_read_and_tells_the_classes_apart(source: Path, tmp_path: Path) -> None:
    manifest = run.train([source], tmp_path, Spelled(), silent, rules=False)
    assert manifest["inputs"] == {"words.jsonl": hash_file(source)}
    assert (manifest["lines"], manifest["crises"]) == (60, 30)
    weights, limits = read_head(
        (tmp_path / "risk_head.npz").read_bytes(), (tmp_path / "risk_head.json").read_text()
    )
    risk_head = RiskHead(weights, limits, Spelled())
    (dark,) = risk_head.detect("zzz xxx zzz number 99")
    (fair,) = risk_head.detect("aaa eee ooo number 99")
    assert dark.level.is_crisis and fair.level is RiskLevel.NONE


class TestThresholds:
    lines = tuple(
        Line(text="some four words here", level=level, category=None, style="words/a")
        for level in [RiskLevel.LOW] * 100 + [RiskLevel.ELEVATED] * 100 + [RiskLevel.HIGH] * 100
    )
    scores = np.stack([np.arange(300.0), np.arange(300.0)], axis=1)

    def test_false_alarms_stay_within_what_is_allowed(self) -> None:
        limits = run.choose(self.lines, self.scores)
        assert 0 < (self.scores[:100, 0] >= limits.elevated).mean() <= run.FALSE_ALARMS
        assert (self.scores[:100, 1] >= limits.high).mean() <= run.GRAVE_ALARMS
        assert (self.scores[100:200, 1] >= limits.high).mean() <= run.GRAVE_TOO_MUCH

    def test_they_are_in_order(self) -> None:
        limits = run.choose(self.lines, self.scores)
        assert limits.elevated <= limits.high


def test_a_style_is_never_in_two_folds() -> None:
    lines = [line for name in run.FILES for line in read_lines(DATA / name)]
    chosen = folds(lines, head.FOLDS)
    assert len({(line.style, fold) for line, fold in zip(lines, chosen, strict=True)}) == len(
        {line.style for line in lines}
    )
    sizes = [chosen.count(fold) for fold in range(head.FOLDS)]
    assert max(sizes) < 1.2 * min(sizes)


def test_the_kernel_is_what_detection_computes(source: Path) -> None:
    lines = read_lines(source)
    material = head.prepare(lines, Spelled())
    weights = head.fitted(material, range(len(lines)))
    assert weights.support.shape[1] == head.KEPT
    # A crisis that was trained on scores like one, and an ordinary line does not.
    scores = head.scored(material, range(len(lines)), weights)
    assert scores[material.crisis, 0].min() > scores[~material.crisis, 0].max()


def test_there_is_text_enough_and_more_of_it_ordinary() -> None:
    lines = [line for name in run.FILES for line in read_lines(DATA / name)]
    assert len(lines) >= 6000
    assert sum(not line.is_crisis for line in lines) >= sum(line.is_crisis for line in lines)
    assert len({line.language for line in lines}) >= 13


def test_a_share_of_nothing_found_still_has_an_interval() -> None:
    figure = wilson(0, 50)
    assert figure["low"] == 0.0
    assert 0.05 < figure["high"] < 0.1


def test_the_shipped_head_was_trained_on_the_text_that_is_here() -> None:
    manifest = json.loads((run.TARGET / "risk_head.json").read_text("utf-8"))
    assert manifest["inputs"] == {name: hash_file(DATA / name) for name in (*run.FILES, run.REPLIES)}
    assert (run.TARGET / "risk_head.npz").stat().st_size < 4_000_000


@pytest.fixture
def replies(tmp_path: Path) -> Path:
    """Half of them harmful, told apart by their letters."""
    rows = [
        {"text": " ".join(["www qqq rrr", "ooo uuu yyy"][n % 2] for _ in range(2 + n % 5)) + f" {n}",
         "kind": ["good", "dosing"][n % 2], "style": f"s{n // 4}"}
        for n in range(40)
    ]  # fmt: skip
    path = tmp_path / "replies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


class TestReader:
    recipe = Recipe(channels=8, epochs=2, batch=8, folds=2)

    def test_what_it_learnt_is_what_the_screen_computes(self, source: Path, replies: Path) -> None:
        lines = read_lines(source)
        trained = fitting.fit(lines, read_replies(replies), self.recipe, silent)
        texts = [line.text for line in lines[:6]] + ["aaa eee ooo " * 200 + "zzz xxx", "मुझे नहीं पता यार"]
        learnt = unpacked(packed(trained.learnt()))
        weight, bias = learnt.pop("head.weight"), learnt.pop("head.bias")
        screen = RiskReader(TunedUniversal(learnt), weight, bias, grave=99.0)
        wanted = fitting.margins(trained, texts)
        scores = [row[0].score or 0.0 for row in screen.detect_many(texts)]
        # Changes in whole numbers against float32.
        assert np.abs(np.array(scores) - wanted[:, 0]).max() < 0.05
        harm = screen.read_reply(texts[6])[0].score or 0.0
        assert abs(harm - wanted[6, 2]) < 0.05

    def test_it_learns_to_tell_the_classes_apart(self, source: Path, replies: Path) -> None:
        lines, said = read_lines(source), read_replies(replies)
        trained = fitting.fit(lines, said, replace(self.recipe, epochs=4), silent)
        scores = fitting.margins(trained, [line.text for line in lines])[:, 0]
        crisis = np.array([line.is_crisis for line in lines])
        assert scores[crisis].min() > scores[~crisis].max()
        harms = fitting.margins(trained, [reply.text for reply in said])[:, 2]
        harmful = np.array([reply.is_harmful for reply in said])
        assert harms[harmful].min() > harms[~harmful].max()

    def test_each_line_is_read_by_one_that_saw_nothing_of_its_style(
        self, source: Path, replies: Path
    ) -> None:
        lines, said = read_lines(source), read_replies(replies)
        learnt = fitting.learn(lines, said, self.recipe, silent)
        assert learnt.lines.shape == (len(lines), 3) and np.isfinite(learnt.lines).all()
        assert learnt.replies.shape == (len(said), 3) and (learnt.replies != 0).all()
        knowing = fitting.margins(
            fitting.fit(lines, said, self.recipe, silent), [line.text for line in lines]
        )
        assert (learnt.lines != knowing).all()

    def test_several_processes_learn_the_same_to_the_bit(self, source: Path, replies: Path) -> None:
        lines, said = read_lines(source), read_replies(replies)
        recipe = replace(self.recipe, epochs=1)
        one, two = (fitting.learn(lines, said, recipe, silent, processes) for processes in (1, 2))
        assert (one.lines == two.lines).all() and (one.replies == two.replies).all()
        assert all((one.weights[name] == two.weights[name]).all() for name in one.weights)

    def test_it_is_written_with_the_weights_that_add_up(
        self, source: Path, replies: Path, tmp_path: Path
    ) -> None:
        manifest = run.train(
            [source], tmp_path, Spelled(), silent, rules=False, recipe=self.recipe, replies=replies
        )
        assert manifest["reader"]["epochs"] == 2
        assert set(manifest["replies"]) >= {"kind dosing/harmful stopped", "kind good/good stopped"}
        with np.load(tmp_path / "risk_reader.npz") as arrays:
            assert arrays["head.weight"].shape == (3, 512 + 2 * 8)
        assert set(manifest["evidence"]) == {*ALARMS, "reply"}


class TestWeighing:
    def seen(self, margin: float, crisis: bool, rules: tuple[str, ...] = (), words: int = 30) -> Seen:
        level = RiskLevel.HIGH if crisis else RiskLevel.LOW
        return Seen(
            Line(text="word " * words, level=level, category=None, style="words/a"),
            Scores(margin, 0.0),
            rules,
        )

    def material(self) -> list[Seen]:
        ordinary = [self.seen(n / 50 - 1.5, False, ("common",) if n % 3 == 0 else ()) for n in range(100)]
        crises = [self.seen(n / 50 - 0.5, True, ("telling", "common")) for n in range(100)]
        return ordinary + crises

    def test_rules_that_tell_weigh_and_none_speaks_against(self) -> None:
        scale = weigh(self.material())["long"]
        assert scale.rules["telling"] > scale.rules.get("common", 0.0) >= 0
        assert scale.common[0] > 0

    def test_false_alarms_stay_within_what_is_allowed(self) -> None:
        seen = self.material()
        scales = weigh(seen)
        alarms = [is_found(scales, one) for one in seen if not one.line.is_crisis]
        assert sum(alarms) <= ALARMS["long"] * len(alarms) + 1

    def test_what_is_said_outright_is_found_whatever_the_sum(self) -> None:
        scales = weigh(self.material())
        assert is_found(scales, self.seen(-9.0, True, ("plan",)))
        assert not is_found(scales, self.seen(-9.0, True, ("common",)))

    def test_in_a_short_message_a_rule_stands(self) -> None:
        assert is_found(weigh(self.material()), self.seen(-9.0, True, ("common",), words=8))
