"""Bases from the Hugging Face hub, with every way it can fail said in one line.

The download is ``huggingface_hub``'s: it keeps to ``HF_HOME``, ``HF_HUB_OFFLINE`` and ``HF_TOKEN``, and goes
on where it was interrupted. What is in its cache already is not asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from smallhours.domain.artifacts import explained_disk_errors
from smallhours.domain.errors import InputError, ResourceError
from smallhours.llm.checks import PICKLED, SAFETENSORS, check_weights, weight_files

# Everything but the weights: a few megabytes.
SMALL = (
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.*",
    "*.index.json",
)

# (hub id, patterns of the files wanted, only from the cache) -> folder
Download = Callable[[str, Sequence[str], bool], str]


def _snapshot(repo: str, patterns: Sequence[str], cached: bool) -> str:
    from huggingface_hub import snapshot_download

    return str(snapshot_download(repo, allow_patterns=list(patterns), local_files_only=cached))


def fetch_description(repo: str, gated: bool = False, download: Download = _snapshot) -> Path:
    """The folder with a hub model's configuration and tokenizer, no weights.

    Raises:
        InputError: no such model, or its licence was not accepted.
        ResourceError: the hub cannot be reached, or the disk is full.
    """
    cached = _cached(repo, SMALL, download)
    if cached and (cached / "config.json").is_file():
        return cached
    return _fetch(repo, SMALL, gated, download)


def fetch_model(repo: str, gated: bool = False, download: Download = _snapshot) -> Path:
    """The folder with a hub model, weights and all; raises what :func:`fetch_description` raises.

    Also raises InputError if what came is not complete.
    """
    wanted = (*SMALL, SAFETENSORS)
    cached = _cached(repo, wanted, download)
    if cached and _complete(cached, repo):
        return cached
    folder = _fetch(repo, wanted, gated, download)
    if not weight_files(folder):
        folder = _fetch(repo, (*SMALL, PICKLED), gated, download)
    check_weights(folder, repo)
    return folder


def _cached(repo: str, patterns: Sequence[str], download: Download) -> Path | None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(download(repo, patterns, True))
    except LocalEntryNotFoundError:
        return None


def _complete(folder: Path, repo: str) -> bool:
    try:
        check_weights(folder, repo)
    except InputError:
        return False
    return (folder / "config.json").is_file()


def _fetch(repo: str, patterns: Sequence[str], gated: bool, download: Download) -> Path:
    from huggingface_hub import errors

    page = f"https://huggingface.co/{repo}"
    try:
        with explained_disk_errors(Path(repo)):
            return Path(download(repo, patterns, False))
    except errors.GatedRepoError:
        raise _not_accepted(repo, page) from None
    except errors.RepositoryNotFoundError:
        if gated:
            raise _not_accepted(repo, page) from None
        raise InputError(
            f"base '{repo}': the hub has no such model, or it is private. Look at {page}, and set HF_TOKEN "
            "if it is yours; a folder of this machine is written with its path: --base ./folder"
        ) from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise _not_accepted(repo, page) from None
        raise ResourceError(
            f"base '{repo}': the hub answers {status}; try again later, or give a folder: --base ./folder"
        ) from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError, TimeoutError):
        raise ResourceError(
            f"base '{repo}': it is not on this machine and the hub cannot be reached (no network, or "
            "HF_HUB_OFFLINE is set). Connect once, copy the model here and give its folder: --base ./folder, "
            "or take --base embedded, which needs no network"
        ) from None


def _not_accepted(repo: str, page: str) -> InputError:
    return InputError(
        f"base '{repo}': its makers ask you to accept their licence first. Do so at {page}, then set "
        "HF_TOKEN to a token of your account (https://huggingface.co/settings/tokens)"
    )
