"""The run folders: how far each one is, and whether the gate lets it through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from smallhours.bootstrap.doctor.check import Check, error, ok, warning
from smallhours.domain.artifacts import Manifest, read_manifest
from smallhours.domain.errors import SmallhoursError
from smallhours.domain.settings import Settings

STAGES = ("dataset", "adapter", "evaluation", "package")


def folders(settings: Settings) -> Iterator[Check]:
    """A line for the run of the settings, and one for each other run. Only the first can be an error."""
    served = settings.run_folder
    names = sorted(one.name for one in settings.runs.glob("*") if any((one / s).is_dir() for s in STAGES))
    if served.name not in names:
        yield warning(
            "runs",
            f"{served}: not there yet, so there is nothing to serve",
            f"smallhours run --name {served.name}",
        )
    for name in names:
        problem = fault(settings.runs / name)
        here = name == served.name
        if not problem:
            yield ok("runs", f"{settings.runs / name}: {', '.join(STAGES)}; the verdict passes")
        elif here:
            yield error("runs", problem, f"smallhours run --name {name}")
        else:
            yield warning("runs", problem, f"smallhours run --name {name}, or delete the folder")


def fault(run: Path) -> str:
    """Why a run cannot be served; empty if it can."""
    from smallhours.export.run import require_passing_verdict

    try:
        done: dict[str, Manifest] = {}
        for stage in STAGES:
            manifest = read_manifest(run / stage)
            if manifest is None:
                return f"{run}: {', '.join(done) or 'no stage'} done, {stage} not finished"
            lost = [name for name in manifest.files if not (run / stage / name).is_file()]
            if lost:
                return f"{run / stage}: {', '.join(lost)} missing"
            done[stage] = manifest
        require_passing_verdict(run)
    except SmallhoursError as problem:
        return str(problem)
    except (ValueError, KeyError):
        return f"{run / 'evaluation' / 'verdict.json'}: damaged"
    return ""
