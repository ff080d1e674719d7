"""TOML, then environment, then flags, into closed and frozen models.

Paths in a TOML file are relative to it. Variables are ``SMALLHOURS_<SECTION>_<KEY>`` (for example
``SMALLHOURS_TRAIN_EPOCHS``) or ``SMALLHOURS_<KEY>`` for the keys of :class:`Settings` itself.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from smallhours.domain.errors import SettingsError
from smallhours.domain.settings.whole import Settings

PREFIX = "SMALLHOURS_"
# Variables of the same prefix that steer the process and are not settings.
NOT_SETTINGS = frozenset(
    {"SMALLHOURS_CONFIG", "SMALLHOURS_CACHE", "SMALLHOURS_WORKER_SETTINGS", "SMALLHOURS_SESSION_SECRET"}
)

_NO_PATH = re.compile(r"(builtin|hf)(:|$)")


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
