"""Our trainer, as ``smallhours train`` runs it: the same stage, on a dataset folder of the job's examples.

The stage looks at a validation example before the first and after the last step; both looks are inside the
seconds that it reports and count against it.
"""

from __future__ import annotations

import json
from pathlib import Path

import job as jobs

from smallhours.domain.artifacts import staged_folder
from smallhours.domain.settings import Settings, TrainSettings
from smallhours.train.responder.run import train_adapter


def main() -> None:
    """Train once and say what it took."""
    job = jobs.read_job()
    options = TrainSettings(
        rank=job["rank"],
        alpha=job["alpha"],
        dropout=0.0,
        learning_rate=job["learning_rate"],
        weight_decay=job["weight_decay"],
        warmup_share=0.0,
        batch_size=job["batch_size"],
        epochs=1,
        max_steps=job["steps"],
        evaluations=1,
        **job["options"],
    )
    settings = Settings(runs=Path(job["folder"]), name="run", seed=job["seed"], train=options)
    with staged_folder(
        settings.run_folder / "dataset", stage="corpus", inputs={}, config={}, seed=job["seed"], figures={}
    ) as dataset:
        for name in ("train", "validation"):
            text = Path(job["dataset"], f"{name}.jsonl").read_text(encoding="utf-8")
            (dataset / f"{name}.jsonl").write_text(text, encoding="utf-8")
    figures = train_adapter(settings, lambda event: None, lambda line: None).figures
    if figures["best_step"] != job["steps"]:
        raise SystemExit(f"the adapter of step {figures['best_step']} was kept, not of {job['steps']}")
    adapter = settings.run_folder / "adapter"
    jobs.write_measured(job, adapter, figures["seconds"], ["torch", "transformers", "peft"])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
