"""Rewordings by a model behind an endpoint: asked for once, kept on disk, and done without if need be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smallhours.domain.artifacts import hash_json, write_aside
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import EngineError, ReplyError, SettingsError
from smallhours.domain.ports import Rewriter
from smallhours.domain.records import Example
from smallhours.domain.settings import CorpusSettings

FOLDER = "rewordings"  # beside the dataset, in the folder of the run
SPARE = 2  # times as many are asked for as are needed, for some are dropped
PATIENCE = 3  # replies in a row that cannot be used, before no more is asked

OpenRewriter = Callable[[Endpoint], Rewriter]


def endpoint_of(settings: CorpusSettings) -> Endpoint | None:
    """The endpoint that the settings name. Raises SettingsError if they name it wrongly or in vain."""
    if settings.rewording_url is None:
        return None
    if settings.expansion == 1:
        raise SettingsError(
            "corpus.rewording_url: nothing would be asked, for corpus.expansion = 1 wants no rewordings; "
            "set it to 2 or more, or name no endpoint"
        )
    return Endpoint(settings.rewording_url, settings.rewording_model, settings.rewording_key_variable)


def ask_endpoint(
    settings: CorpusSettings, run_folder: Path, open_rewriter: OpenRewriter | None
) -> Asking | None:
    """Ready to ask; None where the settings name no endpoint, or nothing can open one."""
    endpoint = endpoint_of(settings)
    if endpoint is None or open_rewriter is None:
        return None
    return Asking(open_rewriter, endpoint, run_folder / FOLDER, SPARE * (settings.expansion - 1))


class Asking:
    """One build's questions to a rewriter.

    What was answered to a question is kept in ``folder`` under the hash of endpoint, model and question, so
    that the next build asks nothing again. The rewriter is opened by the first question that is not there.
    Once it does not answer, or answers ``PATIENCE`` times in a row with nonsense, it is asked no more, and
    ``stopped`` says why. Nonsense now and then is kept like an answer, as none; that row is not.
    """

    def __init__(self, open_rewriter: OpenRewriter, endpoint: Endpoint, folder: Path, count: int) -> None:
        self._open, self._endpoint, self._folder = open_rewriter, endpoint, folder
        self._count = count
        self._rewriter: Rewriter | None = None
        self._nonsense: list[Path] = []  # in a row, up to now
        self._tally: Counter[str] = Counter()
        self.stopped: str | None = None

    def wordings(self, example: Example) -> list[str]:
        """What the rewriter makes of the example's question; nothing was checked. Empty if it has nothing.

        Raises:
            SettingsError: the rewriter cannot be opened as the settings have it.
            ResourceError: the disk does not take what was answered.
        """
        path = self._folder / f"{self._key(example)}.json"
        found = _read(path)
        if found is not None:
            self._tally["from_cache"] += 1
        elif self.stopped is None:
            found = self._ask(example, path)
        found = found or []
        self._tally["offered"] += len(found)
        return found

    def close(self) -> None:
        """Close the rewriter, if one was opened."""
        if self._rewriter is not None:
            self._rewriter.close()
        if self.stopped is None:
            self._keep_nonsense()

    @property
    def figures(self) -> dict[str, Any]:
        """Whom and how often, for the manifest."""
        names = ("asked", "from_cache", "nonsense", "offered")
        return {
            "model": self._endpoint.model,
            "host": self._endpoint.host,
            **{name: self._tally[name] for name in names},
            "stopped": self.stopped,
        }

    def _ask(self, example: Example, path: Path) -> list[str]:
        if self._rewriter is None:
            self._rewriter = self._open(self._endpoint)
        self._tally["asked"] += 1
        try:
            found = self._rewriter.rewordings(example.question, example.language, self._count)
        except ReplyError as error:
            self._tally["nonsense"] += 1
            self._nonsense.append(path)
            if len(self._nonsense) == PATIENCE:
                self._stop(error)
            return []
        except EngineError as error:
            self._stop(error)
            return []
        self._keep_nonsense()
        _write(path, found)
        return found

    def _keep_nonsense(self) -> None:
        for path in self._nonsense:
            _write(path, [])
        self._nonsense.clear()

    def _stop(self, error: EngineError) -> None:
        self.stopped = f"at question {self._tally['asked']}: {error}"

    def _key(self, example: Example) -> str:
        endpoint = self._endpoint
        return hash_json([endpoint.url, endpoint.model, example.language, example.question, self._count])


def _write(path: Path, wordings: list[str]) -> None:
    write_aside(path, json.dumps(wordings, ensure_ascii=False).encode())


def _read(path: Path) -> list[str] | None:
    """Wordings kept before; None if there are none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fine = isinstance(found, list) and all(isinstance(wording, str) for wording in found)
    return found if fine else None
