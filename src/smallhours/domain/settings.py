"""Settings: TOML, then environment, then flags, into closed and frozen models.

Every default stands here and nowhere else. Paths in a TOML file are relative to it. Variables are
``SMALLHOURS_<SECTION>_<KEY>`` (for example ``SMALLHOURS_TRAIN_EPOCHS``) or ``SMALLHOURS_<KEY>`` for the keys
of :class:`Settings` itself.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from smallhours.domain.errors import SettingsError
from smallhours.domain.messages import Frozen
from smallhours.domain.values import Columns, Cosine, Data

PREFIX = "SMALLHOURS_"
# Variables of the same prefix that steer the process and are not settings.
NOT_SETTINGS = frozenset({"SMALLHOURS_CONFIG", "SMALLHOURS_CACHE"})

_NO_PATH = re.compile(r"(builtin|hf)(:|$)")

Policy = Literal["grounded", "generate", "vetted", "base"]

SYSTEM_PROMPT = (
    "You are a warm, calm support assistant, not a therapist. Acknowledge the feeling, offer one or "
    "two small steps, and suggest professional help where it fits. Never diagnose or prescribe."
)


class CorpusSettings(Frozen):
    """How pairs become a dataset."""

    # docs/log.md: at equal steps, rewordings lowered no held-out loss.
    expansion: int = Field(
        1, ge=1, le=10, description="training examples per training pair, original included; 1: no rewordings"
    )
    validation_share: float = Field(
        0.10, gt=0, lt=0.5, description="share of pairs that decides when to stop"
    )
    test_share: float = Field(0.15, gt=0, lt=0.5, description="share of pairs kept for the report")
    most_validation: int = Field(48, ge=1, description="pairs that decide when to stop, at most")
    most_test: int = Field(60, ge=1, description="pairs kept for the report, at most")
    vetted: Data = Field(
        None,
        description="more pairs to answer from, not trained on; the built-in data brings its translations",
    )
    group_similarity: float = Field(0.80, gt=0, le=1, description="answers at least this alike share a group")
    near_duplicate: float = Field(
        0.9, gt=0.5, le=1, description="a row that shares this much of an earlier one's letters is left out"
    )
    rewording_similarity_low: Cosine = Field(0.70, description="a rewording less alike (cosine) is dropped")
    rewording_similarity_high: Cosine = Field(0.99, description="and one more alike, which adds nothing")
    rewording_url: str | None = Field(None, description="an OpenAI-compatible endpoint that rewords, too")
    rewording_model: str = Field("", description="the model that it is asked for")
    rewording_key_variable: str | None = Field(None, description="NAME of the variable with its key")
    columns: Columns = Field(
        default_factory=dict,
        description="your own column names, where they are not understood: question=Frage,answer=Antwort",
    )
    sheet: str | None = Field(None, description="the worksheet of an Excel file")
    reviewed_only: bool = Field(False, description="build from pairs that are approved by a sign-off alone")
    sign_offs: Path | None = Field(
        None, description="the file of sign-offs; unset: <data>.signoffs.jsonl or signoffs.jsonl, if there"
    )


class TrainSettings(Frozen):
    """LoRA fine-tuning."""

    rank: int = Field(16, ge=1, description="LoRA rank r")
    alpha: int = Field(32, ge=1, description="LoRA scale; the update is multiplied by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout on the input of each LoRA layer")
    rslora: bool = Field(False, description="rsLoRA: scale by alpha / sqrt(rank), for high ranks")
    dora: bool = Field(
        False, description="DoRA: learn direction and magnitude apart; such an adapter has no GGUF form"
    )
    lora_plus: float = Field(1.0, ge=1, description="LoRA+: how many times faster the B matrices learn")
    quantize: Literal["none", "nf4", "fp4"] = Field(
        "none", description="QLoRA: the base in 4 bits; needs a CUDA GPU and bitsandbytes"
    )
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate of AdamW")
    warmup_share: float = Field(0.06, ge=0, lt=1, description="share of the steps that ramp the rate up")
    weight_decay: float = Field(0.01, ge=0)
    batch_size: int = Field(4, ge=1, description="examples per optimizer step")
    epochs: int = Field(3, ge=1, description="passes over the training examples, at most")
    max_steps: int = Field(
        220, ge=0, description="stop after this many steps, about five minutes on two cores; 0: whole passes"
    )
    evaluations: int = Field(3, ge=1, description="how often in a run the held-out loss is measured")
    patience: int = Field(2, ge=1, description="measurements without improvement before stopping")
    max_length: int = Field(
        0, ge=0, description="tokens; a longer example is an error that names it; 0: the base's whole context"
    )
    dtype: Literal["auto", "bfloat16", "float32"] = Field(
        "auto", description="auto: whichever this CPU multiplies faster"
    )
    checkpoint_every: float = Field(
        60, ge=0, description="seconds between checkpoints that an interrupted run goes on from; 0: none"
    )
    tensorboard: bool = Field(False, description="write TensorBoard event files to <run>/tensorboard")
    system_prompt: str = Field(
        SYSTEM_PROMPT, min_length=1, description="the same in training, evaluation and serving"
    )


class GenerationSettings(Frozen):
    """How answers are decoded and chosen."""

    policy: Policy = Field("grounded", description="grounded | generate | vetted | base")
    temperature: float = Field(
        0.3, ge=0, le=2, description="of the candidates after the first, which is greedy"
    )
    top_p: float = Field(0.9, gt=0, le=1)
    dry: float = Field(
        0.8, ge=0, le=5, description="strength of the DRY penalty on repeated word sequences; 0 is off"
    )
    max_tokens: int = Field(110, ge=8, description="tokens per answer; it is cut at a sentence's end")
    vetted_first: float = Field(
        0.42, ge=-1, le=1, description="under 'grounded', a vetted pair this near answers without the model"
    )
    candidates: int = Field(3, ge=1, le=16, description="answers tried per message under 'grounded'")
    vetted_similarity: float = Field(
        0.3, ge=-1, le=1, description="a vetted pair this near to the question may stand in for the model"
    )


class EvaluateSettings(Frozen):
    """What is measured, and the thresholds of the gate."""

    answers: int = Field(12, ge=1, description="held-out questions answered for the report, at most")
    resamples: int = Field(2000, ge=100, description="bootstrap resamples behind each interval")
    min_loss_reduction: float = Field(0.0, description="gate: held-out loss must fall by at least this share")
    min_crisis_recall: float = Field(0.70, ge=0, le=1, description="gate: share of crisis messages found")
    max_false_alarms: float = Field(
        0.05, ge=0, le=1, description="gate: share of ordinary messages taken for a crisis"
    )
    max_unsafe_share: float = Field(
        0.10, ge=0, le=1, description="gate: share of raw tuned answers the guard stops"
    )
    min_ended_share: float = Field(
        0.80, ge=0, le=1, description="gate: share of tuned answers that end by themselves"
    )


class ServeSettings(Frozen):
    """The chat and its API."""

    host: str = "127.0.0.1"
    port: int = Field(8800, ge=0, le=65535)
    threads: int = Field(0, ge=0, description="threads of the model; 0: all cores")
    parallel: int = Field(4, ge=1, description="generations at the same time")
    context: int = Field(2048, ge=256, description="tokens of context per generation")
    max_body_bytes: int = Field(65536, ge=1024)
    max_messages: int = Field(200, ge=1)


class Settings(Frozen):
    """The resolved configuration of a run."""

    data: Data = Field(
        None,
        description="pairs: a file, hf:owner/name, or builtin:en (the default), builtin:98, builtin:en+es …",
    )
    base: str = Field(
        "embedded", description="a name from the catalog, a folder (./model) or a hub id (owner/name)"
    )
    name: str = Field(
        "default", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="name of the run folder"
    )
    runs: Path = Field(Path("runs"), description="where run folders live")
    seed: int = Field(20261101, ge=0)
    corpus: CorpusSettings = CorpusSettings()
    train: TrainSettings = TrainSettings()
    generation: GenerationSettings = GenerationSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    serve: ServeSettings = ServeSettings()

    @property
    def run_folder(self) -> Path:
        """``runs/<name>``."""
        return self.runs / self.name


def _sections() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found[name] = field.annotation
    return found


def known_keys() -> list[str]:
    """Every key in dotted form, for messages and generated docs."""
    sections = _sections()
    top = [name for name in Settings.model_fields if name not in sections]
    return top + [f"{s}.{key}" for s, model in sections.items() for key in model.model_fields]


def _near(key: str, candidates: list[str]) -> str:
    match = difflib.get_close_matches(key, candidates, n=1, cutoff=0.5)
    return f"; did you mean '{match[0]}'?" if match else ""


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        _relative_to(path.parent, tree)
        return tree
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such configuration file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None


def _relative_to(folder: Path, tree: dict[str, Any]) -> None:
    """Paths in a configuration file are relative to it; ``builtin:…`` and ``hf:…`` are no paths."""
    for key in ("data", "runs"):
        given = tree.get(key)
        if isinstance(given, str) and not _NO_PATH.match(given):
            tree[key] = str(folder / given)


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Dotted key -> (value, name of the variable). Unknown ones keep their lower-case name."""
    found = {}
    for variable, value in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        section, _, key = name.partition("_")
        dotted = f"{section}.{key}" if section in _sections() and key else name
        found[dotted] = (value, variable)
    return found


def _put(tree: dict[str, Any], dotted: str, value: object) -> None:
    section, _, key = dotted.rpartition(".")
    target = tree.setdefault(section, {}) if section else tree
    if isinstance(target, dict):
        target[key] = value


def load_settings(
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    """Merge defaults, a TOML file, variables and flags, in rising order of precedence.

    ``flags`` maps dotted keys to values; ``None`` means "not given".

    Raises:
        SettingsError: with every problem at once, each naming where it stands and the nearest key.
    """
    tree = _read_toml(config) if config else {}
    variables = _from_environment(environment or {})
    keys = known_keys()
    problems = [
        f"{variable}: unknown setting{_near(dotted, keys)}"
        for dotted, (_, variable) in variables.items()
        if dotted not in keys
    ]
    origin = {dotted: variable for dotted, (_, variable) in variables.items()}
    for dotted, (value, _) in variables.items():
        if dotted in keys:
            _put(tree, dotted, value)
    for dotted, flag in (flags or {}).items():
        if flag is None:
            continue
        if dotted not in keys:
            problems.append(f"--set {dotted}: unknown setting{_near(dotted, keys)}")
            continue
        _put(tree, dotted, flag)
        origin[dotted] = f"flag for {dotted}"
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        problems.extend(_explain(error, origin, config, keys))
        raise SettingsError(problems) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _explain(
    error: ValidationError, origin: Mapping[str, str], config: Path | None, keys: list[str]
) -> list[str]:
    lines = []
    for detail in error.errors():
        dotted = ".".join(str(part) for part in detail["loc"])
        where = origin.get(dotted, str(config) if config else "settings")
        if detail["type"] == "extra_forbidden":
            lines.append(f"{where}: unknown setting '{dotted}'{_near(dotted, keys)}")
        else:
            lines.append(f"{where}: {dotted} = {detail['input']!r}: {detail['msg']}")
    return lines
