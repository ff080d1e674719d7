"""The evaluation stage: what would ship, measured against the untouched base."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallhours.bootstrap.models import llama_engine, open_judge
from smallhours.bootstrap.safety import safety_pipeline, sentence_vectors, vetted_vectors
from smallhours.domain.artifacts import Manifest, hash_folder, read_manifest, require_manifest
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import ModelIdentity, Sampling
from smallhours.domain.records import Example, read_examples
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.evaluate.gate import Verdict
    from smallhours.evaluate.judging.opinion import Opinion
    from smallhours.evaluate.subjects import Served
    from smallhours.serve.assistant import Reply

Announce = Callable[[str], None]


def evaluate(settings: Settings, announce: Announce, progress: Callable[[str, int, int], None]) -> Verdict:
    """The evaluation stage: what would ship, measured against the untouched base.

    Raises:
        RunError: an earlier stage is missing, damaged or from another version.
    """
    from smallhours import safety
    from smallhours.evaluate.ordinary import ordinary_text
    from smallhours.evaluate.run import evaluate_run, finished_verdict
    from smallhours.safety.policy import VERSION

    run = settings.run_folder
    dataset = require_manifest(run / "dataset", "smallhours corpus build")
    adapter = require_manifest(run / "adapter", "smallhours train")
    weights = adapter.files["adapter_model.safetensors"]
    inputs = {
        "adapter": weights,
        "train": dataset.files["train.jsonl"],
        "test": dataset.files["test.jsonl"],
        "base": adapter.inputs["base"],
        # A verdict speaks about this very safety path: its code, its lexicons, its head.
        "safety": hash_folder(Path(safety.__file__).parent),
    }
    folds = read_manifest(run / "folds")
    if folds is not None:
        inputs["folds"] = folds.fingerprint
    found = finished_verdict(run, inputs, settings)
    if found is not None:
        announce("evaluation: up to date")
        return found
    test = read_examples(run / "dataset" / "test.jsonl")
    train = [e for e in read_examples(run / "dataset" / "train.jsonl") if e.parent is None]
    announce(f"evaluation: loss on {len(test)} held-out answers, before and after")
    losses = held_out_losses(settings, [*test, *ordinary_text()])
    forgotten = {name: found[len(test) :] for name, found in losses.items()}
    announce("evaluation: answering the held-out questions, then the safety suites")
    with _subjects(settings, train, adapter) as (subjects, speed):
        return evaluate_run(
            folder=run,
            subjects=subjects,
            test=test,
            train=train,
            base_losses=losses["base"][: len(test)],
            tuned_losses=losses["tuned"][: len(test)],
            speed=speed,
            ordinary_losses=(forgotten["base"], forgotten["tuned"]),
            settings=settings,
            inputs=inputs,
            weights=weights,
            policy=f"{VERSION} ({inputs['safety'][:12]})",
            on_progress=progress,
        )


def judge(
    settings: Settings, endpoint: Endpoint, ratings: Path, progress: Callable[[str, int, int], None]
) -> Opinion:
    """A model's opinion of the answers that the evaluation wrote, beside the project's ratings and one's own.

    Raises:
        RunError: the run was not evaluated.
        SettingsError, DataError: the endpoint's key or the file of ratings.
        EngineError: the model does not answer as asked; the evaluation stays as it was.
    """
    from smallhours.evaluate.judging.ratings import BUILT_IN, read_ratings
    from smallhours.evaluate.judging.run import judge_run

    rated = read_ratings(BUILT_IN) + read_ratings(ratings, must_exist=False)
    opened = open_judge(endpoint, settings.seed)
    return judge_run(settings.run_folder, opened, endpoint, rated, settings.seed, progress)


def held_out_losses(settings: Settings, test: list[Example]) -> dict[str, Any]:
    """Loss on each answer, of the untouched base and of the tuned model, in float32."""
    from smallhours.llm.catalog import find_base
    from smallhours.llm.engines.torch_engine import TorchEngine

    found = {}
    for name, adapter in (("base", None), ("tuned", settings.run_folder / "adapter")):
        model = TorchEngine(find_base(settings.base), adapter, settings.train.system_prompt)
        found[name] = model.answer_losses(test)
        model.close()
    return found


def yardstick_surprise(texts: Sequence[str]) -> list[float | None]:
    """Mean surprise of the untouched embedded model at each text alone (nats per token), in the number type
    that is the faster one here: between the two it moves by hundredths.
    """
    from smallhours.llm.catalog import EMBEDDED
    from smallhours.llm.engines.torch_engine import TorchEngine
    from smallhours.llm.loading import choose_dtype

    model = TorchEngine(EMBEDDED, None, "", choose_dtype("auto"))
    try:
        return model.surprise(texts)
    finally:
        model.close()


@contextmanager
def _subjects(settings: Settings, train: list[Example], adapter: Manifest) -> Iterator[Any]:
    """Base, tuned model and pipeline, the latter over training pairs alone: no answer is looked up. Beside
    them the bytes of memory that the served model takes.
    """
    from smallhours.evaluate.metrics import Figure
    from smallhours.evaluate.subjects import Subjects
    from smallhours.export.adapter_gguf import convert_adapter
    from smallhours.export.served_base import served_gguf
    from smallhours.llm.catalog import find_base
    from smallhours.llm.loading import load_chat_format
    from smallhours.safety.classifier import risk_head
    from smallhours.semantics.pairs import pair_vectors
    from smallhours.serve.assistant import Assistant
    from smallhours.serve.recall import Recall

    encoder, safety = vetted_vectors(), safety_pipeline()
    pairs = [example for example in train if example.stands_alone]
    recall = Recall(pairs, sentence_vectors(), pair_vectors(pairs, encoder))  # asked anew, as in serving
    base_hash, weights = adapter.inputs["base"], adapter.files["adapter_model.safetensors"]
    prompt, form = settings.train.system_prompt, load_chat_format(find_base(settings.base))
    with tempfile.TemporaryDirectory(prefix="smallhours-") as scratch:
        gguf = Path(scratch) / "adapter.gguf"
        convert_adapter(settings.run_folder / "adapter", served_gguf(settings.base, base_hash), gguf)
        base = llama_engine(settings.base, form, None, prompt, ModelIdentity(base=base_hash), settings.serve)
        before = _resident()
        tuned = llama_engine(
            settings.base, form, gguf, prompt, ModelIdentity(base=base_hash, adapter=weights), settings.serve
        )
        tuned.complete(Conversation.of("Hello."), Sampling(max_tokens=1))  # pages come in when they are read
        size = max(1, _resident() - before)
        shipped = Assistant(safety, tuned, recall, settings.generation)
        without_model = Assistant(safety, None, recall, settings.generation)

        def retrieve(question: str) -> str:
            return recall.nearest(question, k=1)[0].pair.answer

        try:
            subjects = Subjects(
                base=base,
                tuned=tuned,
                pipeline=lambda conversation: _served(shipped.reply(conversation)),
                without_model=lambda conversation: _served(without_model.reply(conversation)),
                retrieve=retrieve,
                screen=safety.screen_input,
                guard=safety.screen_output,
                embed=encoder.encode,
                risk=risk_head().scores,
                surprise=yardstick_surprise,
            )
            yield subjects, {"served_bytes": Figure(value=size, n=1)}
        finally:
            base.close()
            tuned.close()


def _resident() -> int:
    """Bytes of physical memory that this process holds."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def _served(reply: Reply) -> Served:
    """A reply as the evaluation sees it."""
    from smallhours.evaluate.subjects import Served

    return Served(
        text=reply.text, source=reply.source, level=reply.decision.level, resources=len(reply.resources)
    )
