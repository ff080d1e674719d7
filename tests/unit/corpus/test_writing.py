"""Records go into files whole, and files come to be whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhours.corpus.sources import read_pairs
from smallhours.corpus.writing import pairs_writer
from smallhours.domain.errors import DataError
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example, ReviewState

TALK = Example(
    id="c1",
    topic="sleep",
    locale="pt-BR",
    review=ReviewState.APPROVED,
    messages=(
        Message(role=Role.USER, content="one\u2028line\n“two”"),
        Message(role=Role.ASSISTANT, content="call somebody", weight=0),
        Message(role=Role.USER, content="=1+1"),
        Message(role=Role.ASSISTANT, content="well, no"),
    ),
)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_whole_records_come_back_as_they_were(tmp_path: Path, ending: str) -> None:
    many = [TALK, *(TALK.model_copy(update={"id": f"n{number}"}) for number in range(1500))]
    with pairs_writer(tmp_path / f"p.{ending}") as write:
        for example in many:
            write(example, "here")
    assert read_pairs(tmp_path / f"p.{ending}") == many


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx"])
def test_tables_hold_pairs_only(tmp_path: Path, ending: str, make_pair) -> None:
    old = tmp_path / f"p.{ending}"
    old.write_text("what was there")
    with (
        pytest.raises(
            DataError, match=rf"row 2: is more than a question and an answer, which \.{ending} cannot"
        ),
        pairs_writer(old) as write,
    ):
        write(make_pair("x1", "q\t1", 'a, "1"'), "row 1")
        write(TALK, "row 2")
    assert [path.name for path in tmp_path.iterdir()] == [old.name]
    assert old.read_text() == "what was there"


def test_a_cell_has_a_limit_in_excel(tmp_path: Path, make_pair) -> None:
    with (
        pytest.raises(DataError, match=r"p\.xlsx: Excel holds .* 32,767 characters in a cell at most"),
        pairs_writer(tmp_path / "p.xlsx") as write,
    ):
        write(make_pair("x1", "q", "a" * 40_000), "row 1")
