"""LLaMA-Factory's trainer (``llamafactory-cli train``), in its own environment.

It renders by itself: its template ``chatml`` gives our characters; it also learns the line break after an
answer, which ours does not. ``options`` of the arm: arguments of its own, as in its YAML files.

It asks for torchvision and torchaudio, whose wheels on the package index are built for CUDA and do not load
beside a CPU build of torch. They are left out of its environment: text needs neither, but torchaudio is
imported at the top of a module, so an empty one stands in for it.
"""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import job as jobs


def stand_in(name: str) -> None:
    """Make ``import name`` give an empty module."""
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, loader=None)
    sys.modules[name] = module


def main() -> None:
    """Train once and say what it took."""
    stand_in("torchaudio")
    from llamafactory.train.tuner import run_exp

    job = jobs.read_job()
    folder, adapter = Path(job["folder"]), Path(job["folder"]) / "adapter"
    rows = [{"messages": row["messages"]} for row in jobs.read_rows(job)]
    (folder / "train.json").write_text(json.dumps(rows), encoding="utf-8")
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    described = {
        "file_name": "train.json",
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": tags | {"system_tag": "system"},
    }
    (folder / "dataset_info.json").write_text(json.dumps({"train": described}), encoding="utf-8")
    run_exp(
        {
            "stage": "sft",
            "do_train": True,
            "model_name_or_path": job["base"],
            "dataset": "train",
            "dataset_dir": job["folder"],
            "template": "chatml",
            "cutoff_len": 1024,
            "output_dir": str(adapter),
            "overwrite_output_dir": True,
            "finetuning_type": "lora",
            "lora_rank": job["rank"],
            "lora_alpha": job["alpha"],
            "lora_target": ",".join(job["targets"]),
            "per_device_train_batch_size": job["batch_size"],
            "gradient_accumulation_steps": 1,
            "max_steps": job["steps"],
            "learning_rate": job["learning_rate"],
            "lr_scheduler_type": "cosine_with_min_lr",
            "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
            "weight_decay": job["weight_decay"],
            "seed": job["seed"],
            "use_cpu": True,
            "report_to": "none",
            "save_strategy": "no",
            "disable_tqdm": True,
            **job["options"],
        }
    )
    seconds = json.loads((adapter / "train_results.json").read_text(encoding="utf-8"))["train_runtime"]
    jobs.write_measured(job, adapter, seconds, ["torch", "transformers", "peft", "llamafactory"])


if __name__ == "__main__":
    main()
