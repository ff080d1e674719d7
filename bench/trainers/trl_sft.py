"""TRL's ``SFTTrainer``, in its own environment: given token ids and labels, it renders nothing itself.

``options`` of the arm: ``config`` (arguments of ``SFTConfig``) and ``model`` (of ``from_pretrained``).
"""

from __future__ import annotations

import time
from pathlib import Path

import job as jobs
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer


def main() -> None:
    """Train once and say what it took."""
    job = jobs.read_job()
    torch.manual_seed(job["seed"])
    rows = [{"input_ids": row["input_ids"], "labels": row["labels"]} for row in jobs.read_rows(job)]
    options = {"per_device_train_batch_size": job["batch_size"], **job["options"].get("config", {})}
    config = SFTConfig(
        output_dir=job["folder"],
        use_cpu=True,
        seed=job["seed"],
        max_steps=job["steps"],
        learning_rate=job["learning_rate"],
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": 0.1},
        weight_decay=job["weight_decay"],
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        model_init_kwargs=job["options"].get("model"),
        **options,
    )
    trainer = SFTTrainer(
        job["base"],
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(job["base"]),
        peft_config=LoraConfig(
            r=job["rank"], lora_alpha=job["alpha"], target_modules=job["targets"], task_type="CAUSAL_LM"
        ),
    )
    started = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - started
    adapter = Path(job["folder"]) / "adapter"
    trainer.save_model(str(adapter))
    jobs.write_measured(job, adapter, seconds, ["torch", "transformers", "peft", "trl"])


if __name__ == "__main__":
    main()
