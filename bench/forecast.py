"""How near `smallhours plan` comes: short trainings and a server, forecast against measured.

    python -m bench.forecast

Every case runs in a process of its own; memory is that process's peak. The GPT-2 case is a model of that
shape made on the spot (random weights, the embedded base's tokenizer), so it needs no hub. Run it when the
trainer changes, and refit the constants of `smallhours.train.costs`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.common import RESULTS, write_results
from smallhours.bootstrap import planning, safety, stages
from smallhours.domain.settings import Settings, load_settings
from smallhours.train.planner import Forecast

SHORT = {"data": "builtin:98", "train.max_steps": 12, "train.evaluations": 1}
CASES: dict[str, dict[str, object]] = {
    "embedded, 12 steps of 8": SHORT,
    "embedded, 6 steps of 16": {**SHORT, "train.batch_size": 16, "train.max_steps": 6},
    "embedded, 6 steps of 8, float32": {**SHORT, "train.max_steps": 6, "train.dtype": "float32"},
    "GPT-2 shape, 12 layers of 768": {**SHORT, "base": "gpt2", "train.max_steps": 8},
}
SERVED = "embedded, served"


def make_gpt2(folder: Path) -> None:
    """A causal language model of GPT-2's smallest shape, with the embedded base's vocabulary and template."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from smallhours.llm.catalog import find_base
    from smallhours.llm.loading import load_tokenizer

    tokenizer = load_tokenizer(find_base("embedded"))
    tokenizer.save_pretrained(folder)
    end = tokenizer.eos_token_id
    config = GPT2Config(vocab_size=len(tokenizer), bos_token_id=end, eos_token_id=end)
    GPT2LMHeadModel(config).save_pretrained(folder)


def settings_of(case: str, scratch: Path) -> Settings:
    """The settings of a case; its run folder lies in ``scratch``."""
    flags = dict(CASES[case])
    if flags.get("base") == "gpt2":
        flags["base"] = str(scratch / "gpt2")
    return load_settings(flags={**flags, "runs": str(scratch), "name": f"case{list(CASES).index(case)}"})


def train_case(case: str, scratch: Path) -> float:
    """One training, in this process; its seconds."""
    manifest = stages.train(settings_of(case, scratch), lambda event: None, lambda line: None)
    return float(manifest.figures["seconds"])


def serve_case(case: str, scratch: Path) -> float:
    """The embedded base behind the safety path, asked once."""
    from smallhours.domain.messages import Conversation
    from smallhours.domain.ports import ModelIdentity, Sampling
    from smallhours.llm.catalog import EMBEDDED
    from smallhours.llm.chat_format import CHATML
    from smallhours.llm.engines.llama_server import LlamaOptions
    from smallhours.llm.engines.llamacpp import LlamaCppEngine

    serve = Settings().serve
    safety.safety_pipeline().screen_input(Conversation.of("hello"))
    safety.sentence_vectors().encode(["hello"])
    options = LlamaOptions(str(EMBEDDED.weights()), context=serve.context, parallel=serve.parallel)
    engine = LlamaCppEngine(options, CHATML, "Be kind.", ModelIdentity(base="embedded"))
    engine.complete(Conversation.of("I cannot sleep. " * 200), Sampling(max_tokens=8))
    engine.close()
    return 0.0


def in_own_process(part: str, case: str, scratch: Path) -> tuple[float, float]:
    """Seconds as the case tells them, and its peak in megabytes (10⁶ bytes)."""
    code = (
        f"import resource, sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        f"from bench import forecast; from pathlib import Path\n"
        f"told = forecast.{part}_case({case!r}, Path({str(scratch)!r}))\n"
        "print('TOLD', told, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    told = next((line.split() for line in done.stdout.splitlines() if line.startswith("TOLD")), None)
    if told is None:
        raise SystemExit(f"{case}: {done.stderr[-2000:]}")
    return float(told[1]), int(told[2]) * 1024 / 1e6


def planned(settings: Settings) -> Forecast:
    """What the plan says about the case's base."""
    base = Path(settings.base).resolve() if Path(settings.base).is_dir() else settings.base
    return next(one for one in planning.plan(settings).forecasts if one.name == str(base))


def figure(value: float, unit: str, said: float) -> dict[str, Any]:
    """A measured value against its forecast."""
    return {"value": round(value, 1), "unit": unit, "against": f"forecast {said:.1f}", "runs": 1}


def main() -> None:
    """Measure and write ``results/forecast.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="+", default=[*CASES, SERVED])
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if any(CASES.get(case, {}).get("base") for case in given.cases):
            make_gpt2(scratch / "gpt2")
        dataset: Path | None = None
        for case in given.cases:
            if case == SERVED:
                said = planned(Settings()).serve_memory / 1e6
                _, megabytes = in_own_process("serve", case, scratch)
                figures[f"{case}: memory"] = figure(megabytes, "MB", said)
                print(f"{case}: {megabytes:.0f} MB, forecast {said:.0f} MB", flush=True)
                continue
            settings = settings_of(case, scratch)
            if dataset is None:
                stages.build_dataset(settings, lambda line: None)
                dataset = settings.run_folder / "dataset"
            else:
                shutil.copytree(dataset, settings.run_folder / "dataset")
            found = planned(settings)
            seconds, megabytes = in_own_process("train", case, scratch)
            figures[f"{case}: time"] = figure(seconds, "s", found.seconds)
            figures[f"{case}: memory"] = figure(megabytes, "MB", found.train_memory / 1e6)
            print(
                f"{case}: {seconds:.0f} s, forecast {found.seconds:.0f} s; "
                f"{megabytes:.0f} MB, forecast {found.train_memory / 1e6:.0f} MB",
                flush=True,
            )
    write_results(RESULTS / "forecast.json", figures)


if __name__ == "__main__":
    main()
