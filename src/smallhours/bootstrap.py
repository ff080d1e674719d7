"""The composition root: the only file that knows the concrete parts.

Heavy parts (torch, llama.cpp, FastAPI) are imported by the function that needs them, so that
``smallhours screen`` starts without any of them.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallhours.domain.artifacts import Manifest, hash_folder, require_manifest
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import ResourceError, RunError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Engine, ModelIdentity, Rewriter
from smallhours.domain.records import Example, read_examples
from smallhours.domain.settings import ServeSettings, Settings
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.semantics.vectors import SentenceVectors, shared_vectors

if TYPE_CHECKING:
    from fastapi import FastAPI

    from smallhours.evaluate.gate import Verdict
    from smallhours.llm.chat_format import ChatFormat
    from smallhours.serve.assistant import Assistant
    from smallhours.train.planner import TrainingPlan
    from smallhours.train.workload import Workload

Announce = Callable[[str], None]


@cache
def safety_pipeline() -> SafetyPipeline:
    """The safety path, one per process."""
    return SafetyPipeline()


def sentence_vectors() -> SentenceVectors:
    """The sentence encoder, one per process; the safety path uses the same."""
    return shared_vectors()


def llama_engine(
    base_name: str,
    form: ChatFormat,
    adapter: Path | None,
    system_prompt: str,
    identity: ModelIdentity,
    serve: ServeSettings,
) -> Engine:
    """The base in llama.cpp, with a GGUF adapter if one is given."""
    from smallhours.export.served_base import served_gguf
    from smallhours.llm.engines.llamacpp import LlamaCppEngine

    return LlamaCppEngine(
        served_gguf(base_name, identity.base),
        adapter,
        form,
        system_prompt,
        identity,
        context=serve.context,
        parallel=serve.parallel,
        threads=serve.threads,
    )


def build_dataset(settings: Settings, announce: Announce) -> Manifest:
    """The corpus stage."""
    from smallhours.corpus.build import build_dataset as build

    target = settings.run_folder / "dataset"
    safety = safety_pipeline()
    manifest = build(
        settings, target, sentence_vectors(), safety.screen_input, open_rewriter, safety.screen_many
    )
    for caution in manifest.figures.get("cautions", ()):
        announce(f"warning: {caution}")
    announce(f"dataset: {target}")
    review = manifest.figures["review"]
    if "sign_offs" in manifest.inputs or review["left_out"]:
        states = ", ".join(f"{count} {state}" for state, count in review["states"].items() if count)
        announce(f"review: {states}; {review['left_out']} left out")
        for note in review["notes"]:
            announce(f"review: {note}")
    return manifest


def open_rewriter(endpoint: Endpoint) -> Rewriter:
    """A model behind an endpoint, to reword questions; its key is read here and kept by the client alone.

    Raises:
        SettingsError: the variable with its key is not set, or httpx is not installed.
    """
    from smallhours.llm.engines.openai_http import OpenAiHttpEngine
    from smallhours.llm.rewriting import INSTRUCTION, EngineRewriter

    key = endpoint.key(os.environ)
    return EngineRewriter(OpenAiHttpEngine(endpoint, key=key, system_prompt=INSTRUCTION))


def open_assistant(settings: Settings, *, with_model: bool = True, with_base: bool = False) -> Assistant:
    """The assistant of a finished run.

    ``with_model=False`` leaves the model out: crises and vetted answers still work. ``with_base``
    also loads the untouched base, for the policy ``base``.

    Raises:
        RunError: the run has no package, or it is damaged.
    """
    import numpy as np

    from smallhours.export.run import package_identity, require_passing_verdict
    from smallhours.llm.chat_format import chat_format
    from smallhours.serve.assistant import Assistant
    from smallhours.serve.recall import Recall

    folder = settings.run_folder / "package"
    manifest = require_manifest(folder, f"smallhours run --name {settings.name}")
    require_passing_verdict(settings.run_folder)
    pairs = read_examples(folder / "pairs.jsonl")
    try:
        vectors = np.load(folder / "pairs.npy", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise RunError(
            f"{folder / 'pairs.npy'}: damaged ({error}). Delete {folder} to build it afresh."
        ) from None
    identity, config = package_identity(manifest), manifest.config
    prompt, form = str(config["system_prompt"]), chat_format(config["chat_format"])

    def engine(adapter: Path | None, who: ModelIdentity) -> Engine:
        return llama_engine(str(config["base"]), form, adapter, prompt, who, settings.serve)

    return Assistant(
        safety_pipeline(),
        engine(folder / "adapter.gguf", identity) if with_model else None,
        Recall(pairs, sentence_vectors(), vectors),
        settings.generation,
        base_engine=engine(None, ModelIdentity(base=identity.base)) if with_base else None,
    )


def evaluate(settings: Settings, announce: Announce, progress: Callable[[str, int, int], None]) -> Verdict:
    """The evaluation stage: what would ship, measured against the untouched base.

    Raises:
        RunError: an earlier stage is missing, damaged or from another version.
    """
    from smallhours import safety
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
    found = finished_verdict(run, inputs, settings)
    if found is not None:
        announce("evaluation: up to date")
        return found
    test = read_examples(run / "dataset" / "test.jsonl")
    train = [e for e in read_examples(run / "dataset" / "train.jsonl") if e.parent is None]
    announce(f"evaluation: loss on {len(test)} held-out answers, before and after")
    losses = held_out_losses(settings, test)
    announce("evaluation: answering the held-out questions")
    with _subjects(settings, train, adapter) as subjects:
        return evaluate_run(
            folder=run,
            subjects=subjects,
            test=test,
            train=train,
            base_losses=losses["base"],
            tuned_losses=losses["tuned"],
            settings=settings,
            inputs=inputs,
            weights=weights,
            policy=VERSION,
            on_progress=progress,
        )


def held_out_losses(settings: Settings, test: list[Example]) -> dict[str, Any]:
    """Loss on each held-out answer, of the untouched base and of the tuned model, in float32."""
    from smallhours.llm.catalog import find_base
    from smallhours.llm.engines.torch_engine import TorchEngine

    found = {}
    for name, adapter in (("base", None), ("tuned", settings.run_folder / "adapter")):
        model = TorchEngine(find_base(settings.base), adapter, settings.train.system_prompt)
        found[name] = model.answer_losses(test)
        model.close()
    return found


@contextmanager
def _subjects(settings: Settings, train: list[Example], adapter: Manifest) -> Iterator[Any]:
    """Base, tuned model and pipeline, the latter over training pairs alone: no answer is looked up."""
    from smallhours.evaluate.baselines import Subjects
    from smallhours.export.adapter_gguf import convert_adapter
    from smallhours.export.served_base import served_gguf
    from smallhours.llm.catalog import find_base
    from smallhours.llm.loading import load_chat_format
    from smallhours.serve.assistant import Assistant
    from smallhours.serve.recall import Recall

    encoder, safety = sentence_vectors(), safety_pipeline()
    recall = Recall.of([example for example in train if example.stands_alone], encoder)
    base_hash, weights = adapter.inputs["base"], adapter.files["adapter_model.safetensors"]
    prompt, form = settings.train.system_prompt, load_chat_format(find_base(settings.base))
    with tempfile.TemporaryDirectory(prefix="smallhours-") as scratch:
        gguf = Path(scratch) / "adapter.gguf"
        convert_adapter(settings.run_folder / "adapter", served_gguf(settings.base, base_hash), gguf)
        base = llama_engine(settings.base, form, None, prompt, ModelIdentity(base=base_hash), settings.serve)
        tuned = llama_engine(
            settings.base, form, gguf, prompt, ModelIdentity(base=base_hash, adapter=weights), settings.serve
        )
        assistant = Assistant(safety, tuned, recall, settings.generation)

        def retrieve(question: str) -> str:
            return recall.nearest(question, k=1)[0].pair.answer

        try:
            yield Subjects(
                base=base,
                tuned=tuned,
                pipeline=lambda conversation: assistant.reply(conversation).text,
                retrieve=retrieve,
                screen=safety.screen_input,
                guard=safety.screen_output,
                embed=encoder.encode,
            )
        finally:
            base.close()
            tuned.close()


def plan(settings: Settings) -> TrainingPlan:
    """What this machine can train on the pairs of the settings: no model is loaded, lengths are estimated.

    Raises:
        DataError: for pairs that cannot be read.
        InputError: for a base that is not known.
    """
    from smallhours.corpus.sources import Reading, load_pairs, source_name
    from smallhours.llm.catalog import CATALOG, find_base
    from smallhours.llm.chat_format import CHATML, FORMATS
    from smallhours.llm.loading import cache_folder
    from smallhours.llm.machine import measure_machine
    from smallhours.train.planner import TrainingPlan, candidate, forecast
    from smallhours.train.responder.fit import make_plan
    from smallhours.train.workload import estimated_lengths, split_sizes, workload_of

    options = settings.train
    pairs = load_pairs(settings.data, Reading(settings.corpus.columns, settings.corpus.sheet))
    examples, held_out = split_sizes(len(pairs), settings.corpus)
    steps = make_plan(examples, options)
    machine = measure_machine(cache_folder())
    dtype = machine.trainer.rates.fastest if options.dtype == "auto" else options.dtype

    @cache
    def workload(form: str) -> Workload:
        # A template of the base's own is in files that may not be here; ChatML takes about as many tokens.
        lengths = estimated_lengths(pairs, FORMATS.get(form, CHATML), options.system_prompt)
        return workload_of(lengths, held_out, steps, options.batch_size)

    chosen = find_base(settings.base)
    bases = {chosen.name: chosen, **CATALOG}.values()
    found = [
        forecast(candidate(base), workload(base.chat_format), machine, dtype, options.rank, settings.serve)
        for base in bases
    ]
    return TrainingPlan(
        machine=machine,
        dtype=dtype,
        chosen=chosen.name,
        data=source_name(settings.data),
        pairs=len(pairs),
        examples=examples,
        workload=workload(chosen.chat_format),
        forecasts=tuple(sorted(found, key=lambda one: one.parameters)),
    )


def train(settings: Settings, report: Callable[[Any], None], announce: Announce) -> Manifest:
    """The training stage; what could not be served afterwards is said before."""
    from smallhours.export.served_base import serving_caution
    from smallhours.train.responder.run import train_adapter

    caution = serving_caution(settings.base)
    if caution:
        announce(f"warning: {caution}")
    return train_adapter(settings, report, announce)


def train_folds(
    settings: Settings, folds: int, repeats: int, report: Callable[[Any], None], announce: Announce
) -> Manifest:
    """Repeated grouped k-fold beside the training stage."""
    from smallhours.train.responder.folds import train_folds as fold

    return fold(settings, folds, repeats, report, announce)


def export(settings: Settings, announce: Announce, targets: tuple[str, ...] = ("gguf",)) -> Manifest:
    """The export stage."""
    from smallhours.export.run import export_package

    return export_package(settings, sentence_vectors(), announce, targets)


def build_app(settings: Settings, assistant: Assistant) -> FastAPI:
    """The web app around an assistant, warmed up so that the first person does not wait."""
    from smallhours.serve.gateway.app import create_app

    assistant.reply(Conversation.of("hello"))
    return create_app(assistant, settings.serve, f"smallhours-{settings.name}")


def bind(serve: ServeSettings) -> socket.socket:
    """The server's socket, bound before any long work so that a taken port is said at once.

    It does not listen yet: until there is something to answer, a browser is refused, not kept waiting.

    Raises:
        ResourceError: the address is in use or not ours.
    """
    family = socket.AF_INET6 if ":" in serve.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((serve.host, serve.port))
        return bound
    except OSError as error:
        bound.close()
        raise ResourceError(
            f"{serve.host}:{serve.port}: cannot listen there ({error.strerror}). "
            "Stop what uses the port, or choose another with --port."
        ) from None
