"""The suites run as tasks of Inspect, on its own stand-in for a model. Runs where the extra is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("inspect_ai", reason="the extra 'inspect' is not installed")


@pytest.mark.parametrize("name", ["crisis", "requests", "conversations"])
def test_a_task_runs_and_scores(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import inspect_ai

    from smallhours.evaluate import inspect_tasks

    # Its stand-in counts tokens with a vocabulary from the network.
    monkeypatch.setattr("inspect_ai.model._model.count_text_tokens", len)
    log = inspect_ai.eval(
        getattr(inspect_tasks, name)(),
        model="mockllm/model",
        limit=3,
        log_dir=str(tmp_path),
        display="none",
    )[0]
    assert log.status == "success"
    assert log.results is not None and log.results.completed_samples == 3
