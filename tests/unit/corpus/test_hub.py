"""Data sets of the hub. With ``datasets`` installed the real package reads folders laid out like a
repository of the hub; without it a small fake with its signature and its messages does.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smallhours.corpus.hub import HubName
from smallhours.corpus.preview import preview
from smallhours.corpus.sources import load_pairs, open_sources, source_name
from smallhours.domain.errors import DataError

REAL = importlib.util.find_spec("datasets") is not None
PAIRS = [{"Context": f"q{n}", "Response": f"a{n}", "votes": n} for n in range(1, 4)]
GERMAN = [{"Frage": "q1", "Antwort": "a1"}]
TALK = [{"id": 7, "messages": [{"role": "user", "content": "q1"}, {"role": "assistant", "content": "a1"}]}]
Repository = dict[str, dict[str, list[dict[str, Any]]]]  # configuration -> split -> rows


class Rows:
    """As much of a streamed data set as we use."""

    def __init__(self, values: Iterator[dict[str, Any]], column_names: list[str] | None) -> None:
        self._values, self.column_names = values, column_names
        self.features: dict[str, Any] | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._values


def load_dataset(
    path: str, name: str | None = None, *, split: str, streaming: bool, revision: str | None
) -> Rows:
    """Refuses in the words of ``datasets`` 5."""
    assert streaming
    configs = {folder.name: folder for folder in sorted(Path(path).iterdir()) if folder.is_dir()}
    if name is None and len(configs) > 1:
        raise ValueError(
            f"Config name is missing.\nPlease pick one among the available configs: {list(configs)}"
        )
    if name is not None and name not in configs:
        raise ValueError(f"BuilderConfig '{name}' not found. Available: {list(configs)}")
    splits = {file.stem: file for file in sorted(configs[name or next(iter(configs))].iterdir())}
    if split not in splits:
        raise ValueError(f"Bad split: {split}. Available splits: {list(splits)}")
    values = [json.loads(line) for line in splits[split].read_text().splitlines()]
    return Rows(iter(values), list(values[0]))


def publish(folder: Path, repository: Repository) -> None:
    """Lay ``owner/name`` out as the hub would: a folder a configuration, a card that names them."""
    card = ["---", "configs:"]
    for config, splits in repository.items():
        card += [f"- config_name: {config}", "  data_files:"]
        for split, values in splits.items():
            file = folder / "owner" / "name" / config / f"{split}.jsonl"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{json.dumps(value)}\n" for value in values))
            card += [f"  - split: {split}", f"    path: {config}/{split}.jsonl"]
    (folder / "owner" / "name" / "README.md").write_text("\n".join([*card, "---", ""]))


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Repository], None]:
    """Publishes the repository ``owner/name``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    if not REAL:
        monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    return lambda repository: publish(tmp_path, repository)


def refused(data: str) -> str:
    with pytest.raises(DataError) as caught:
        load_pairs(data)
    (problem,) = caught.value.problems
    assert "\n" not in problem
    return problem


def raising(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def load(*arguments: object, **named: object) -> None:
        raise error

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load))


def test_a_data_set_is_read_like_a_file(published: Callable[[Repository], None]) -> None:
    published({"default": {"train": PAIRS}})
    examples = load_pairs("hf:owner/name")
    assert [(e.id, e.question, e.answer) for e in examples] == [
        ("name-0001", "q1", "a1"), ("name-0002", "q2", "a2"), ("name-0003", "q3", "a3")
    ]  # fmt: skip
    seen = preview(open_sources("hf:owner/name")[0])
    assert (seen.columns, seen.ignored) == ({"question": ("Context",), "answer": ("Response",)}, ("votes",))


def test_configuration_and_split_are_chosen_by_name(published: Callable[[Repository], None]) -> None:
    published({"en": {"train": PAIRS, "test": PAIRS[:1]}, "de": {"train": GERMAN}})
    assert len(load_pairs("hf:owner/name/en")) == 3
    assert len(load_pairs("hf:owner/name/en:test")) == 1
    assert load_pairs("hf:owner/name/de")[0].id == "name-0001"


def test_messages_of_a_data_set_are_conversations(published: Callable[[Repository], None]) -> None:
    published({"default": {"train": TALK}})
    (example,) = load_pairs("hf:owner/name")
    assert (example.id, example.question, example.answer) == ("7", "q1", "a1")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("hf:owner/name", "has several configurations: de, en; say which: hf:owner/name/de:train"),
        ("hf:owner/name/ed", "has no configuration 'ed' but de, en; say which: hf:owner/name/de:train"),
        ("hf:owner/name/en:tset", "has no split 'tset' but test, train; say which: hf:owner/name/en:test"),
    ],
)
def test_what_must_be_chosen_is_listed(published: Callable[[Repository], None], data: str, told: str) -> None:
    published({"de": {"train": GERMAN}, "en": {"test": PAIRS, "train": PAIRS}})
    assert refused(data) == f"{data}: {told}"


def test_a_column_can_be_named_as_for_a_file(published: Callable[[Repository], None]) -> None:
    published({"default": {"train": [{"said": "q1", "text": "a1"}]}})
    told = refused("hf:owner/name")
    assert told.startswith("hf:owner/name row 1: there is no column 'question' and no column 'answer'")


def test_labels_come_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    class Label:
        """As much of ``datasets.ClassLabel`` as we use."""

        def int2str(self, value: int) -> str:
            return ["sleep", "mood"][value]

    def load(*arguments: object, **named: object) -> Rows:
        rows = Rows(iter([{"q": f"q{n}", "a": "a", "label": n} for n in (1, 0, -1)]), ["q", "a", "label"])
        rows.features = {"q": object(), "label": Label()}
        return rows

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load))
    assert [example.topic for example in load_pairs("hf:o/n")] == ["mood", "sleep", "general"]


def test_a_revision_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load(*arguments: object, **named: object) -> Rows:
        asked.append((arguments, named["split"], named["revision"]))
        return Rows(iter(PAIRS), None)

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load))
    assert len(load_pairs("hf:o/n/c:s@refs/pr/1")) == 3
    assert asked == [(("o/n", "c"), "s", "refs/pr/1")]


# Names of kinds and words as ``datasets`` 5 and ``huggingface_hub`` 2 raise them.
class DatasetNotFoundError(FileNotFoundError): ...


class OfflineModeIsEnabled(ConnectionError): ...  # noqa: N818


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DatasetNotFoundError("Dataset 'o/n' doesn't exist on the Hub or cannot be accessed."),
         "there is no such data set, or it is not public; check owner and name"),
        (DatasetNotFoundError("Dataset 'o/n' is a gated dataset on the Hub.\nAsk for access."),
         "is gated: ask for access at https://huggingface.co/datasets/o/n, then log in with: hf auth login"),
        (ConnectionError("Couldn't reach 'o/n' on the Hub (LocalEntryNotFoundError)"),
         "the hub cannot be reached; check the network, or fetch the file elsewhere and name it instead"),
        (OfflineModeIsEnabled("Cannot reach the hub: offline mode is enabled."), "the hub cannot be reached"),
        (FileNotFoundError("Couldn't find 'o/n' on the Hugging Face Hub either: LocalEntryNotFoundError: An "
                           "error happened"), "the hub cannot be reached"),
        (RuntimeError("Dataset scripts are no longer\nsupported"),
         "cannot be read (RuntimeError: Dataset scripts are no longer supported); look at https://"),
    ],
)  # fmt: skip
def test_each_refusal_says_what_to_do(monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    raising(monkeypatch, error)
    assert refused("hf:o/n").startswith(f"hf:o/n: {told}")


def test_a_revision_that_is_not_there_is_told_from_a_missing_data_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raising(monkeypatch, DatasetNotFoundError("Revision 'v9' doesn't exist for dataset 'o/n' on the Hub."))
    assert refused("hf:o/n@v9").startswith(
        "hf:o/n@v9: has no revision 'v9'; its branches and tags are listed"
    )


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert refused("hf:o/n").endswith(
        "needs the package datasets; install it with: pip install 'smallhours[hub]'"
    )


def test_a_network_that_goes_midway_loses_nothing_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    def values() -> Iterator[dict[str, Any]]:
        yield from PAIRS
        raise ConnectionError("gone")

    def load(*arguments: object, **named: object) -> Rows:
        return Rows(values(), None)

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load))
    assert refused("hf:o/n").startswith(
        "hf:o/n row 4: cannot be read from here on: the hub cannot be reached"
    )


def test_rows_are_asked_for_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    def values() -> Iterator[dict[str, Any]]:
        for number in range(100_000):
            given.append(number)
            yield {"q": f"q{number}", "a": "a"}

    def load(*arguments: object, **named: object) -> Rows:
        return Rows(values(), ["q", "a"])

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load))
    assert next(iter(open_sources("hf:o/n")[0].pass_over()))
    assert len(given) <= 200  # the sample that settles what the columns mean


@pytest.mark.parametrize("data", ["hf:", "hf:a/b/c/d", "hf:/tmp/x", "hf:a b/c", "hf:a/b:", "hf:a/b@"])
def test_what_is_no_name_is_refused_before_anything_is_asked(data: str) -> None:
    assert "not the name of a data set; write hf:owner/name/config:split@revision" in refused(data)


def test_names_are_read_in_parts() -> None:
    assert HubName.of("o/n/c:s") == HubName("o/n", "c", "s")
    assert HubName.of("o/n@v1.2") == HubName("o/n", revision="v1.2")
    assert str(HubName.of("o/n/c:s@v1")) == "hf:o/n/c:s@v1"
    assert HubName.of("n") == HubName("n", None, "train")
    assert source_name("hf:o/n/c:s") == "hf:o/n/c:s"
