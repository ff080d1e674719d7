"""What the hub can answer, and what a person is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import errors

from smallhours.domain.errors import InputError, ResourceError, SmallhoursError
from smallhours.llm.hub import fetch_description, fetch_model
from tests.unit.llm.tiny_bases import TEMPLATES, save_base

CHATML = TEMPLATES["chatml with a prompt of its own"]


class FakeHub:
    """Answers as ``snapshot_download`` does: from its cache if there is one, else with ``answer``."""

    def __init__(self, answer: Path | Exception, cache: Path | None = None) -> None:
        self.answer, self.cache = answer, cache
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, repo: str, patterns: Sequence[str], cached: bool) -> str:
        if cached:
            if self.cache is None:
                raise errors.LocalEntryNotFoundError("not in the cache")
            return str(self.cache)
        self.asked.append(tuple(patterns))
        if isinstance(self.answer, Exception):
            raise self.answer
        return str(self.answer)


def http(kind: type[errors.HfHubHTTPError], status: int) -> errors.HfHubHTTPError:
    response: Any = SimpleNamespace(headers={}, status_code=status, request=None)
    return kind("refused", response=response)


FAILURES: dict[str, tuple[Exception, bool, type[SmallhoursError], str]] = {
    "gated": (http(errors.GatedRepoError, 403), False, InputError, "accept their licence.*HF_TOKEN"),
    "gated, nobody logged in": (
        http(errors.RepositoryNotFoundError, 401), True, InputError, "accept their licence.*HF_TOKEN",
    ),
    "forbidden": (http(errors.HfHubHTTPError, 403), False, InputError, "https://huggingface.co/some/base"),
    "no such model": (http(errors.RepositoryNotFoundError, 404), False, InputError, "no such model"),
    "the hub is ill": (http(errors.HfHubHTTPError, 503), False, ResourceError, "503; try again"),
    "no network": (errors.LocalEntryNotFoundError("x"), False, ResourceError, "cannot be reached"),
    "offline": (errors.OfflineModeIsEnabled("x"), False, ResourceError, "cannot be reached"),
    "cable pulled": (ConnectionError("x"), False, ResourceError, "cannot be reached"),
    "disk full": (OSError(28, "No space left"), False, ResourceError, "no space left"),
}  # fmt: skip


@pytest.mark.parametrize("fetch", [fetch_description, fetch_model])
@pytest.mark.parametrize(("error", "gated", "kind", "message"), FAILURES.values(), ids=FAILURES)
def test_every_failure_is_one_line_with_a_remedy(
    fetch: Any, error: Exception, gated: bool, kind: type[SmallhoursError], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        fetch("some/base", gated, FakeHub(error))
    assert caught.value.exit_code == (2 if kind is InputError else 3)
    assert "\n" not in str(caught.value)


def test_what_is_in_the_cache_is_not_asked_for(tmp_path: Path) -> None:
    folder = save_base(tmp_path, CHATML)
    hub = FakeHub(ConnectionError("no network"), cache=folder)
    assert fetch_model("some/base", download=hub) == fetch_description("some/base", download=hub) == folder
    assert hub.asked == []


def test_an_interrupted_download_goes_on(tmp_path: Path) -> None:
    partial, whole = save_base(tmp_path / "partial", CHATML), save_base(tmp_path / "whole", CHATML)
    (partial / "model.safetensors").unlink()
    hub = FakeHub(whole, cache=partial)
    assert fetch_model("some/base", download=hub) == whole and len(hub.asked) == 1


def test_old_weights_are_fetched_where_there_are_no_others(tmp_path: Path) -> None:
    folder = save_base(tmp_path, CHATML)
    (folder / "model.safetensors").rename(tmp_path / "other")
    hub = FakeHub(folder)
    with pytest.raises(InputError, match="no weights"):
        fetch_model("some/base", download=hub)
    assert "pytorch_model*.bin" in hub.asked[-1] and "pytorch_model*.bin" not in hub.asked[0]
