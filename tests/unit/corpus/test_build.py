"""The corpus stage as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from smallhours.corpus.build import build_dataset, read_split
from smallhours.domain.errors import DataError, RunError
from smallhours.domain.records import Example, Split, read_examples
from smallhours.domain.settings import CorpusSettings, Settings
from smallhours.safety.pipeline import INPUT_DETECTORS, SafetyPipeline
from smallhours.semantics.vectors import SentenceVectors, Vectors

FIRST = Settings(data="builtin:98")
TRIPLED = Settings(data="builtin:98", corpus=CorpusSettings(expansion=3))


class BagOfWords(Protocol):
    """The fixture's encoder, which counts how often it is asked."""

    calls: int

    def encode(self, texts: Sequence[str]) -> Vectors: ...


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "dataset"
    build_dataset(TRIPLED, folder, SentenceVectors())
    return folder


def test_training_is_tripled_and_the_rest_is_not(built: Path) -> None:
    train, validation, test = (read_split(built, split) for split in Split)
    originals = [example for example in train if example.parent is None]
    assert len(train) == 3 * len(originals)
    assert all(example.parent is None for example in validation + test)
    assert len(originals) + len(validation) + len(test) == 98
    assert {e.id for e in originals + validation + test} == {
        e.id for e in read_examples(built / "pairs.jsonl")
    }


def test_groups_do_not_straddle_splits(built: Path) -> None:
    groups = [{example.group for example in read_split(built, split)} for split in Split]
    assert all(groups)
    assert sum(len(part) for part in groups) == len(set().union(*groups))


def test_the_manifest_says_what_was_measured(built: Path) -> None:
    figures = json.loads((built / "manifest.json").read_text())["figures"]
    assert figures["pairs"] == 98
    assert figures["expansion"]["achieved"] == 3
    assert figures["expansion"]["short"] == 0
    assert figures["splits"]["test"]["topics"].keys() == figures["topics"].keys()
    for audit in figures["leaks"].values():
        assert audit["reached"] == 0
        assert audit["answer"]["max"] < audit["bound"]
        assert audit["question"]["max"] < audit["bound"]


def test_an_unchanged_stage_is_not_done_again(tmp_path: Path, bag_of_words: BagOfWords) -> None:
    first = build_dataset(FIRST, tmp_path / "d", bag_of_words)
    calls = bag_of_words.calls
    assert build_dataset(FIRST, tmp_path / "d", bag_of_words) == first
    assert bag_of_words.calls == calls
    assert (
        build_dataset(Settings(data="builtin:98", seed=1), tmp_path / "d", bag_of_words).fingerprint
        != first.fingerprint
    )


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path, bag_of_words: BagOfWords) -> None:
    one = build_dataset(FIRST, tmp_path / "one", bag_of_words)
    two = build_dataset(FIRST, tmp_path / "two", bag_of_words)
    assert one.files == two.files


def test_the_file_decides_and_not_its_name(
    tmp_path: Path, bag_of_words: BagOfWords, builtin: list[Example]
) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text("".join(e.model_dump_json() + "\n" for e in builtin[:20]))
    first = build_dataset(Settings(data=tmp_path / "a.jsonl"), tmp_path / "d", bag_of_words)
    assert build_dataset(Settings(data=tmp_path / "b.jsonl"), tmp_path / "d", bag_of_words) == first


def test_too_few_pairs_and_unusable_ones_are_refused_together(
    tmp_path: Path, bag_of_words: BagOfWords
) -> None:
    (tmp_path / "p.csv").write_text("question,answer\nhow can i rest,Rest\nwhy,Why?\n")
    with pytest.raises(DataError) as caught:
        build_dataset(Settings(data=tmp_path / "p.csv"), tmp_path / "d", bag_of_words)
    told = str(caught.value)
    for part in ("is a single word", "repeats the question", "has 2 pairs; at least 3 are needed"):
        assert part in told
    assert not (tmp_path / "d").exists()


def test_reading_an_unfinished_or_damaged_dataset_says_so(tmp_path: Path, bag_of_words: BagOfWords) -> None:
    with pytest.raises(RunError, match="not there or not finished"):
        read_split(tmp_path / "d", Split.TRAIN)
    build_dataset(FIRST, tmp_path / "d", bag_of_words)
    path = tmp_path / "d" / "test.jsonl"
    path.write_text(path.read_text() + '{"id": "x"}\n')
    with pytest.raises(RunError, match=r"test\.jsonl line 16: damaged"):
        read_split(tmp_path / "d", Split.TEST)
    path.unlink()
    with pytest.raises(RunError, match=r"test\.jsonl: not there"):
        read_split(tmp_path / "d", Split.TEST)


def test_conversations_of_several_turns_go_through(
    tmp_path: Path, bag_of_words: BagOfWords, make_pair: Callable[..., Example], builtin: list[Example]
) -> None:
    talk = make_pair("talk", "i feel low", "Tell me more.")
    talk = talk.model_copy(update={"messages": (*talk.messages, *builtin[0].messages)})
    lines = [e.model_dump_json() + "\n" for e in [talk, *builtin[1:20]]]
    (tmp_path / "p.jsonl").write_text("".join(lines))
    build_dataset(Settings(data=tmp_path / "p.jsonl"), tmp_path / "d", bag_of_words)
    found = {e.id: e for split in Split for e in read_split(tmp_path / "d", split)}
    assert found["talk"].messages == talk.messages


def test_the_builtin_pairs_bring_their_translations_to_answer_from(
    tmp_path: Path, bag_of_words: BagOfWords
) -> None:
    manifest = build_dataset(Settings(), tmp_path / "d", bag_of_words)
    vetted = read_examples(tmp_path / "d" / "vetted.jsonl")
    assert {e.language for e in vetted} == {"es", "fr", "de", "pt", "hi", "ar"}
    assert manifest.figures["vetted"] == len(vetted) == 6 * 98
    trained = {e.language for split in Split for e in read_split(tmp_path / "d", split)}
    assert trained == {"en"}


def test_an_owners_pairs_are_answered_from_alone(tmp_path: Path, bag_of_words: BagOfWords) -> None:
    manifest = build_dataset(FIRST, tmp_path / "d", bag_of_words)
    assert manifest.figures["vetted"] == 0 and "vetted" not in manifest.inputs


def test_held_out_parts_of_a_large_set_are_capped(tmp_path: Path, bag_of_words: BagOfWords) -> None:
    caps = CorpusSettings(most_validation=5, most_test=7)
    figures = build_dataset(Settings(data="builtin:98", corpus=caps), tmp_path / "d", bag_of_words).figures
    assert {name: part["pairs"] for name, part in figures["splits"].items()} == {
        "train": 86,
        "validation": 5,
        "test": 7,
    }


def test_a_question_in_a_crisis_is_refused_and_named(tmp_path: Path, bag_of_words: BagOfWords) -> None:
    rows = "".join(f"how can i rest {n},lie down {n} and breathe\n" for n in range(9))
    (tmp_path / "p.csv").write_text(f"question,answer\n{rows}i want to die,lie down and breathe\n")
    screen = SafetyPipeline({k: v for k, v in INPUT_DETECTORS.items() if k != "classifier"}).screen_input
    with pytest.raises(DataError, match=r"p\.csv row 11: question"):
        build_dataset(Settings(data=str(tmp_path / "p.csv")), tmp_path / "d", bag_of_words, screen)


def test_no_answer_is_held_out_whose_question_is_trained_on(tmp_path: Path, bag_of_words: BagOfWords) -> None:
    rows = [
        f"{question},word{n}a word{n}b,word{n}c word{n}d word{n}e\n"
        for n in range(40)
        for question in (f"how can i rest {n % 20}", f"How can I REST {n % 20}?")
    ]
    (tmp_path / "p.csv").write_text("question,answer 1,answer 2\n" + "".join(rows))
    figures = build_dataset(Settings(data=str(tmp_path / "p.csv")), tmp_path / "d", bag_of_words).figures
    parts = [read_split(tmp_path / "d", split) for split in Split]
    numbers = [{example.question.strip("?").split()[-1] for example in part} for part in parts]
    assert sum(map(len, numbers)) == len(set().union(*numbers)) == 20
    assert sum(map(len, parts)) == 80 and figures["duplicates"] == 80  # the same in capitals is no other pair


def test_the_manifest_says_how_the_file_was_read(tmp_path: Path, bag_of_words: BagOfWords) -> None:
    rows = "".join(f"how can i rest {n},word{n}a word{n}b,old\n" for n in range(20))
    (tmp_path / "p.csv").write_text(f"Question,Answer,Answer\n{rows}")
    figures = build_dataset(Settings(data=str(tmp_path / "p.csv")), tmp_path / "d", bag_of_words).figures
    first, note = figures["understood"]
    assert first.startswith(
        "p.csv: CSV, separated by commas, pairs; question 'Question'; answer 'Answer'; not"
    )
    assert note.startswith("of the columns of one name 'Answer' is read and not 'Answer 2'")
    assert "how can i rest" not in first + note
    assert build_dataset(FIRST, tmp_path / "e", bag_of_words).figures["understood"] == []
