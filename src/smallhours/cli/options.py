"""Flags that several commands share, and how they become settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from smallhours.domain.errors import SettingsError
from smallhours.domain.settings import Settings, load_settings

F = TypeVar("F", bound=Callable[..., Any])

CONFIG = click.option("--config", type=click.Path(path_type=Path), help="A TOML file of settings.")
SET = click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any setting: train.epochs=2."
)
RUN = click.argument("run", default="default")
UNSAFE = click.option(
    "--unsafe-skip-gate",
    is_flag=True,
    help="For research: go on without a passing verdict. The model card and the page will say so.",
)
REVIEWED_ONLY = click.option(
    "--reviewed-only", is_flag=True, default=None, help="Build from pairs approved by a sign-off alone."
)
SIGN_OFFS = click.option(
    "--sign-offs",
    type=click.Path(path_type=Path),
    help="The file of sign-offs.  [default: DATA.signoffs.jsonl, or signoffs.jsonl]",
)

RATINGS = click.option(
    "--ratings",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("ratings.jsonl"),
    show_default=True,
    help="The file of your own ratings.",
)


def with_settings(**named: str) -> Callable[[F], F]:
    """Add ``--config`` and ``--set``, and hand the command ``settings`` made from all its flags.

    ``named`` maps the command's own parameters to dotted settings, e.g. ``port="serve.port"``.
    """

    def decorate(command: F) -> F:
        @CONFIG
        @SET
        @wraps(command)
        def wrapped(config: Path | None, assignments: tuple[str, ...], **flags: Any) -> Any:
            given = {named[name]: flags.pop(name) for name in list(flags) if name in named}
            return command(settings=resolve(config, assignments, given), **flags)

        return wrapped  # type: ignore[return-value]

    return decorate


def resolve(config: Path | None, assignments: tuple[str, ...], flags: Mapping[str, object]) -> Settings:
    """Settings from defaults, file, environment and flags.

    Raises:
        SettingsError: with every problem found.
    """
    chosen = config or (
        Path(os.environ["SMALLHOURS_CONFIG"]) if os.environ.get("SMALLHOURS_CONFIG") else None
    )
    merged: dict[str, object] = dict(flags)
    for assignment in assignments:
        key, separator, value = assignment.partition("=")
        if not separator:
            raise SettingsError(f"--set {assignment}: write it as KEY=VALUE, for example train.epochs=2")
        merged[key.strip()] = value.strip()
    return load_settings(chosen, os.environ, merged)
