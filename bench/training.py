"""Our trainer against TRL's and LLaMA-Factory's on this machine: speed, memory, and what was learnt.

    python -m bench.training --steps 24 --repeat 3

Every arm gets the same base (the embedded SmolLM2-135M, unpacked), the same built-in pairs (8 x steps
of them, so that each arm sees each of them once, in an order of its own), the same LoRA on all linear layers,
the same batch and number of steps, AdamW, and a cosine from the full learning rate to a tenth of it. The arms
take turns, each repetition in a process of its own. Arms (``--only``):

- ``ours``: the stage behind ``smallhours train`` with its defaults.
- ``trl-default``: TRL's ``SFTTrainer`` as it comes, told to use the CPU: float32 weights, bfloat16 autocast,
  gradient checkpointing.
- ``trl-best``: the fastest of what TRL offers here; the other ``trl-`` arms are what was tried (docs/log.md).
- ``llamafactory``: LLaMA-Factory as it comes, told to use the CPU and, as in its own examples, bfloat16.

Figures: seconds of the training loop (loading and saving left out); tokens per second, all tokens of the
examples and no padding, over those seconds; the peak resident memory of the whole process up to the end of
training; share of the matrix rate, 4 x parameters x tokens / seconds / rate: 2 operations per parameter and
token on the way forward, and as many again back, where the base is frozen; the rate is of one product,
measured in the same processes. Ours computes the system prompt once per batch and is credited with its tokens
as often as the peers, which compute it for every example. Held-out loss: pairs of groups that no arm saw, by
one code for all.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.common import RESULTS, Figure, figure, missing, write_results
from bench.environments import PeerUnavailableError, last_line, peer_python

TRAINERS = Path(__file__).parent / "trainers"
BATCH_SIZE = 8
RECIPE = {"batch_size": BATCH_SIZE, "learning_rate": 1e-3, "weight_decay": 0.01, "rank": 16, "alpha": 32}
SEED = 20261124
RUN_SECONDS = 3600
OURS = "ours"


@dataclass(frozen=True)
class Arm:
    """A trainer and how it is set; ``environment`` names a peer's environment, empty for our own."""

    script: str
    environment: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def _tuned_trl(attention: str, **config: Any) -> Arm:
    """TRL with the base in the number type that is faster here (filled in later) and settings of its own."""
    tuned = {"bf16": False, "gradient_checkpointing": False, "dataloader_num_workers": 0, **config}
    return Arm(
        "trl_sft.py", "trl", {"model": {"dtype": None, "attn_implementation": attention}, "config": tuned}
    )


_PADDING_FREE = {"padding_free": True, "max_length": None}
_LIGHT = {"bf16": True, "gradient_checkpointing": True}
_BY_LENGTH = {"train_sampling_strategy": "group_by_length"}
MAIN_ARMS = {
    OURS: Arm("ours.py"),
    "trl-default": Arm("trl_sft.py", "trl"),
    "trl-best": _tuned_trl("sdpa", **(_PADDING_FREE | _LIGHT)),
    "llamafactory": Arm("llama_factory.py", "llamafactory", {"bf16": True}),
}
# What else was tried as TRL's best; docs/log.md has the figures.
TRIED = {
    "trl-grouped": _tuned_trl("sdpa", **_BY_LENGTH),
    "trl-grouped-eager": _tuned_trl("eager", **_BY_LENGTH),
    "trl-grouped-autocast": _tuned_trl("sdpa", **(_BY_LENGTH | {"bf16": True})),
    "trl-grouped-rounded": _tuned_trl("sdpa", **_BY_LENGTH, pad_to_multiple_of=16),
    "trl-grouped-eager-rounded": _tuned_trl("eager", **_BY_LENGTH, pad_to_multiple_of=16),
    "trl-padding-free": _tuned_trl("sdpa", **_PADDING_FREE),
    "trl-grouped-checkpointing": _tuned_trl("sdpa", **(_BY_LENGTH | _LIGHT)),
    "trl-small-batches": _tuned_trl(
        "sdpa", **_BY_LENGTH, per_device_train_batch_size=BATCH_SIZE // 4, gradient_accumulation_steps=4
    ),
}
ARMS = MAIN_ARMS | TRIED


@dataclass(frozen=True)
class Measured:
    """One repetition of one arm: seconds of the loop, MiB, operations per second, where its adapter is."""

    seconds: float
    peak_megabytes: float
    matrix_rate: float
    adapter: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Setting:
    """What all arms share: the number of real tokens they train on, parameters of the base, in words."""

    tokens: int
    parameters: int
    words: str


def prepare(folder: Path, steps: int, data: str) -> tuple[dict[str, Any], Setting]:
    """Write the dataset into ``folder``; the job that all arms get, and what they share."""
    from smallhours.corpus.build import build_dataset
    from smallhours.domain.records import read_examples, write_examples
    from smallhours.domain.settings import Settings
    from smallhours.llm.answer_loss import encode
    from smallhours.llm.catalog import EMBEDDED
    from smallhours.llm.chat_format import chat_format
    from smallhours.llm.loading import choose_dtype, load_tokenizer, unpack
    from smallhours.semantics.vectors import shared_vectors

    dataset, settings = folder / "dataset", Settings(seed=SEED, data=data)
    build_dataset(settings, dataset, shared_vectors())
    examples = read_examples(dataset / "train.jsonl")
    if len(examples) < steps * BATCH_SIZE:
        raise SystemExit(
            f"--steps {steps}: {len(examples)} examples suffice for {len(examples) // BATCH_SIZE}"
        )
    chosen = random.Random(SEED).sample(examples, steps * BATCH_SIZE)
    write_examples(dataset / "train.jsonl", chosen)
    # Ours looks at one example before and after training, and cannot be told not to.
    write_examples(dataset / "validation.jsonl", read_examples(dataset / "validation.jsonl")[:1])
    prompt = settings.train.system_prompt
    encoded = encode(
        chosen, load_tokenizer(EMBEDDED), chat_format(EMBEDDED.chat_format), prompt, EMBEDDED.context
    )
    rows = [
        {
            "id": example.id,
            "input_ids": row.ids,
            "labels": [token if learnt else -100 for token, learnt in zip(row.ids, row.learnt, strict=True)],
            "messages": [
                {"role": "system", "content": prompt},
                *({"role": m.role.value, "content": m.content} for m in example.messages),
            ],
        }
        for example, row in zip(chosen, encoded, strict=True)
    ]
    train = folder / "train.jsonl"
    train.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    job = {
        **RECIPE,
        "base": str(unpack(EMBEDDED)),
        "train": str(train),
        "dataset": str(dataset),
        "steps": steps,
        "targets": list(EMBEDDED.lora_targets),
        "dtype": str(choose_dtype("auto")).removeprefix("torch."),
    }
    tokens = sum(len(row.ids) for row in encoded)
    words = f"{EMBEDDED.title}, {len(rows)} pairs, {tokens} tokens, {steps} steps of {BATCH_SIZE}, LoRA r=16"
    return job, Setting(tokens, EMBEDDED.parameters, words)


def run_arm(arm: Arm, job: Mapping[str, Any], folder: Path, threads: int) -> Measured:
    """One repetition in a process of its own.

    Raises:
        PeerUnavailableError: the arm cannot be installed, or its process failed.
    """
    python = peer_python(arm.environment) if arm.environment else Path(sys.executable)
    folder.mkdir(parents=True)
    options = json.loads(json.dumps(dict(arm.options)))
    if "dtype" in options.get("model", {}):
        options["model"]["dtype"] = job["dtype"]
    (folder / "job.json").write_text(
        json.dumps({**job, "folder": str(folder), "options": options}), encoding="utf-8"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    _run([str(python), str(TRAINERS / arm.script), str(folder / "job.json")], environment)
    return Measured(**json.loads((folder / "measured.json").read_text(encoding="utf-8")))


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, timeout=RUN_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise PeerUnavailableError(f"not done after {RUN_SECONDS} s") from None
    if done.returncode:
        raise PeerUnavailableError(f"exit code {done.returncode}: {last_line(done.stderr or done.stdout)}")
    return done.stdout


def take_turns(
    names: Sequence[str], repeat: int, measure: Callable[[str, int], Measured]
) -> tuple[dict[str, list[Measured]], dict[str, str]]:
    """Each arm once, then each arm again; an arm that failed gets no further turn, and a reason."""
    runs: dict[str, list[Measured]] = {name: [] for name in names}
    reasons: dict[str, str] = {}
    for turn in range(repeat):
        for name in names:
            if name in reasons:
                continue
            try:
                found = measure(name, turn)
            except PeerUnavailableError as error:
                reasons[name], runs[name] = str(error), []
                print(f"{name}: missing: {error}", flush=True)
                continue
            runs[name].append(found)
            print(f"{name}: {found.seconds:.1f} s, {found.peak_megabytes:.0f} MiB", flush=True)
    return runs, reasons


def held_out(runs: Mapping[str, Sequence[Measured]], dataset: Path, threads: int) -> dict[str, list[float]]:
    """Loss on unseen groups (nats per answer token) of every repetition's adapter, and of the base."""
    adapters = [
        f"{name}/{i}={run.adapter}" for name, all_runs in runs.items() for i, run in enumerate(all_runs)
    ]
    command = [sys.executable, str(TRAINERS / "held_out.py"), str(dataset / "test.jsonl"), "base/0="]
    losses = json.loads(_run([*command, *adapters], {**os.environ, "OMP_NUM_THREADS": str(threads)}))
    found: dict[str, list[float]] = {}
    for key, loss in losses.items():
        found.setdefault(key.rpartition("/")[0], []).append(loss)
    return found


def figures_of(
    runs: Mapping[str, Sequence[Measured]],
    reasons: Mapping[str, str],
    losses: Mapping[str, Sequence[float]],
    setting: Setting,
    dtype: str,
) -> dict[str, Figure]:
    """Every figure by name: of each arm, and of ours against each peer, turn by turn."""
    rates = [run.matrix_rate for all_runs in runs.values() for run in all_runs]
    found = {"base: held-out loss": figure(losses["base"], "nats per token", "no training", 4)}
    if rates:
        found["matrix rate"] = figure([r / 1e9 for r in rates], "GFLOP/s", f"{dtype}, 1024 x 576 x 1536", 0)
    for name, measured in runs.items():
        columns = _columns(measured, losses.get(name, ()), setting, rates)
        for label, (values, unit, digits) in columns.items():
            against = f"{setting.words}; {dtype} is the faster type here"
            found[f"{name}: {label}"] = (
                figure(values, unit, against, digits) if values else missing(unit, against, reasons[name])
            )
    for name in (n for n in runs if n != OURS and OURS in runs):
        for label, values in _ratios(runs[OURS], runs[name], losses, name).items():
            found[f"{label} against {name}"] = (
                figure(values, "x", f"ours / {name}", 4 if "loss" in label else 2)
                if values
                else missing("x", f"ours / {name}", reasons.get(name) or reasons[OURS])
            )
    return found


def _columns(
    runs: Sequence[Measured], losses: Sequence[float], setting: Setting, rates: Sequence[float]
) -> dict[str, tuple[list[float], str, int]]:
    """Label -> values of the repetitions, unit, digits."""
    rate = sorted(rates)[len(rates) // 2] if rates else 1.0
    work = 4 * setting.parameters * setting.tokens
    return {
        "tokens per second": ([setting.tokens / run.seconds for run in runs], "tokens/s", 0),
        "training loop": ([run.seconds for run in runs], "s", 1),
        "peak memory": ([run.peak_megabytes for run in runs], "MiB", 0),
        "share of the matrix rate": ([100 * work / run.seconds / rate for run in runs], "%", 1),
        "held-out loss": (list(losses), "nats per token", 4),
    }


def _ratios(
    ours: Sequence[Measured], peer: Sequence[Measured], losses: Mapping[str, Sequence[float]], name: str
) -> dict[str, list[float]]:
    """Ours over the peer's in the same turn."""
    turns = list(zip(ours, peer, strict=False))
    return {
        "speed": [theirs.seconds / own.seconds for own, theirs in turns],
        "peak memory": [own.peak_megabytes / theirs.peak_megabytes for own, theirs in turns],
        "held-out loss": [a / b for a, b in zip(losses.get(OURS, ()), losses.get(name, ()), strict=False)],
    }


def show(figures: Mapping[str, Figure]) -> None:
    """One line per figure."""
    for name, found in figures.items():
        if found["value"] is None:
            print(f"{name:<45} missing: {found['reason']}")
            continue
        spread = f"({found['low']} to {found['high']})" if "low" in found else ""
        print(f"{name:<45} {found['value']:>9} {found['unit']} {spread}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the results file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=24, help="optimizer steps of 8 pairs (default: 24)")
    parser.add_argument("--repeat", type=int, default=3, help="turns of each arm (default: 3)")
    parser.add_argument(
        "--only", default=",".join(MAIN_ARMS), help=f"arms, joined by commas, of: {', '.join(ARMS)}"
    )
    parser.add_argument("--data", default="builtin:en", help="what to train on (default: builtin:en)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--out", type=Path, default=RESULTS / "training.json")
    given = parser.parse_args(arguments)
    names = given.only.split(",")
    if unknown := [name for name in names if name not in ARMS]:
        parser.error(f"--only: no such arm: {', '.join(unknown)}; there are {', '.join(ARMS)}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        job, setting = prepare(folder, given.steps, given.data)
        print(f"{setting.words}; {given.threads} threads, {job['dtype']}", flush=True)

        def measure(name: str, turn: int) -> Measured:
            seeded = {**job, "seed": SEED + turn}
            return run_arm(ARMS[name], seeded, folder / f"{name}-{turn}", given.threads)

        runs, reasons = take_turns(names, given.repeat, measure)
        losses = held_out(runs, Path(job["dataset"]), given.threads)
    figures = figures_of(runs, reasons, losses, setting, job["dtype"])
    show(figures)
    versions = {
        f"{package} ({ARMS[name].environment})": version
        for name, all_runs in runs.items()
        if ARMS[name].environment
        for run in all_runs
        for package, version in run.versions.items()
    }
    write_results(given.out, figures, versions)


if __name__ == "__main__":
    main()
