"""Data sets of the Hugging Face hub, streamed by the package ``datasets``.

One is named ``hf:owner/name``, with its configuration and its split where it has several:
``hf:owner/name/config:split@revision``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from smallhours.corpus.rows import Fault, Row, Table
from smallhours.corpus.text import cut
from smallhours.domain.errors import DataError

HUB = "hf:"
SPLIT = "train"
FORM = f"{HUB}owner/name/config:split@revision"
_NAME = re.compile(
    r"(?P<repository>[\w.-]+(?:/[\w.-]+)?)(?:/(?P<config>[^:/@]+))?"
    r"(?::(?P<split>[^:/@]+))?(?:@(?P<revision>[\w./-]+))?"
)
_LONGEST_REASON = 200  # characters
_MOST_NAMES = 12
_UNREACHABLE = {"ConnectionError", "TimeoutError", "OfflineModeIsEnabled", "ConnectError", "TransportError"}


@dataclass(frozen=True, slots=True)
class HubName:
    """What stands behind ``hf:``. Without a ``config`` the data set must have one alone or a default; without
    a ``revision`` (a branch, a tag or a commit) it is the newest."""

    repository: str
    config: str | None = None
    split: str = SPLIT
    revision: str | None = None

    @classmethod
    def of(cls, name: str) -> HubName:
        """Read ``owner/name/config:split@revision``, of which the last three may be missing.

        Raises DataError.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise DataError(f"{HUB}{name}: not the name of a data set; write {FORM}")
        return cls(found["repository"], found["config"], found["split"] or SPLIT, found["revision"])

    def __str__(self) -> str:
        config = f"/{self.config}" if self.config else ""
        revision = f"@{self.revision}" if self.revision else ""
        return f"{HUB}{self.repository}{config}:{self.split}{revision}"


def open_hub(name: str) -> Table:
    """A fresh pass over a data set, a row at a time; rows count from 1.

    Raises:
        DataError: one line that says what is missing (the package, the network, leave to read it, a
            configuration, a split, a revision) and what to do.
    """
    wanted = HubName.of(name)
    try:
        import datasets  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise DataError(
            f"{HUB}{name}: reading from the hub needs the package datasets; "
            "install it with: pip install 'smallhours[hub]'"
        ) from None
    try:
        rows = datasets.load_dataset(
            wanted.repository, wanted.config, split=wanted.split, streaming=True, revision=wanted.revision
        )
    except Exception as error:  # noqa: BLE001  (datasets raises a dozen kinds, from several libraries)
        raise DataError(f"{HUB}{name}: {_explained(error, wanted)}") from None
    header = tuple(rows.column_names) if rows.column_names else None
    return Table(_rows(rows, wanted), header, kind="data set of the hub")


def _rows(rows: Any, wanted: HubName) -> Iterator[Row | Fault]:
    labels = _labels(rows)
    number = 0
    try:
        for number, value in enumerate(rows, start=1):
            named = {column: name(value[column]) for column, name in labels.items()}
            yield Row(f"row {number}", number, {**value, **named})
    except Exception as error:  # noqa: BLE001  (the network may go, or a file turn out to be broken, midway)
        yield Fault(f"row {number + 1}", f"cannot be read from here on: {_explained(error, wanted)}", True)


def _labels(rows: Any) -> dict[str, Callable[[Any], Any]]:
    """Columns of labels, which come as numbers, and what turns a number into its name."""

    def naming(feature: Any) -> Callable[[Any], Any]:
        # -1 and None are how a label is left out.
        return lambda label: feature.int2str(label) if isinstance(label, int) and label >= 0 else None

    features = rows.features or {}
    return {column: naming(one) for column, one in features.items() if hasattr(one, "int2str")}


def _explained(error: Exception, wanted: HubName) -> str:
    """What happened, in one line, and the remedy. Kinds are told by name: they come from several packages."""
    said = " ".join(str(error).split())
    kinds = {kind.__name__ for kind in type(error).__mro__}
    page = f"https://huggingface.co/datasets/{wanted.repository}"
    if "gated" in said.casefold():
        return f"is gated: ask for access at {page}, then log in with: hf auth login"
    if wanted.revision and "evision" in said:
        return f"has no revision '{wanted.revision}'; its branches and tags are listed at {page}/tree/main"
    if "DatasetNotFoundError" in kinds:
        return (
            "there is no such data set, or it is not public; check owner and name, and log in with "
            "'hf auth login' if it is private"
        )
    if "onfig" in said and (there := _listed(said)):
        lacks = (
            f"has no configuration '{wanted.config}' but" if wanted.config else "has several configurations:"
        )
        return f"{lacks} {_some(there)}; say which: {_with(wanted, config=there)}"
    if "split" in said.casefold() and (there := _listed(said)):
        return f"has no split '{wanted.split}' but {_some(there)}; say which: {_with(wanted, split=there)}"
    if kinds & _UNREACHABLE or "LocalEntryNotFoundError" in said:  # so it says when the hub itself is broken
        return (
            "the hub cannot be reached; check the network, or fetch the file elsewhere and name it "
            f"instead (the files are at {page})"
        )
    return f"cannot be read ({type(error).__name__}: {cut(said, _LONGEST_REASON)}); look at {page}"


def _listed(said: str) -> list[str]:
    """The names in the last list that a message shows: ``Available splits: ['train', 'test']``."""
    lists = re.findall(r"\[([^\[\]]*)\]", said)
    return re.findall(r"'([^']+)'", lists[-1]) if lists else []


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _with(wanted: HubName, config: list[str] | None = None, split: list[str] | None = None) -> HubName:
    """The name as it could be: with the nearest of what there is."""
    near = {"config": wanted.config, "split": wanted.split}
    for field, there in (("config", config), ("split", split)):
        if there:
            near[field] = (difflib.get_close_matches(near[field] or "", there, 1) or there)[0]
    return HubName(wanted.repository, near["config"], near["split"] or SPLIT, wanted.revision)
