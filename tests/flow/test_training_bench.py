"""The bench of the trainer, two real steps of our own arm: it times, measures memory and finds the loss."""

from __future__ import annotations

import json
from pathlib import Path

from bench.training import main


def test_our_arm_is_measured_and_written(tmp_path: Path) -> None:
    few = ["--data", "builtin:98", "--steps", "2", "--repeat", "1", "--only", "ours"]
    main([*few, "--out", str(tmp_path / "training.json")])
    figures = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))["figures"]
    assert figures["ours: tokens per second"]["value"] > 1
    assert 300 < figures["ours: peak memory"]["value"] < 20_000
    assert 0 < figures["ours: share of the matrix rate"]["value"] < 100
    assert figures["ours: held-out loss"]["value"] < figures["base: held-out loss"]["value"] < 8
