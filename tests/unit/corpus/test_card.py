"""Every number in a data card is a count of the data: read back here and counted in another way."""

from __future__ import annotations

import re
import statistics
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st

from smallhours.cli.main import run
from smallhours.corpus.build import build_dataset
from smallhours.corpus.card import make_card, size_category, write_card
from smallhours.corpus.card_limits import known_limits
from smallhours.corpus.card_text import escape, render
from smallhours.corpus.facts import MOST_NAMES, Histogram, gather
from smallhours.corpus.split import held_out_cautions
from smallhours.domain.artifacts import read_manifest
from smallhours.domain.errors import InputError
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example, ReviewState, Split
from smallhours.domain.settings import Settings
from smallhours.semantics.readability import measure
from smallhours.semantics.vectors import Vectors

MakePair = Callable[..., Example]
Tables = dict[str, list[list[str]]]

# What a card says of itself: the source of the formula, the aims, and where thin topics begin.
CONSTANTS = ("1975", "8-75", "35 to 70", "from 35", "6 to 8", "from 6 to 8", "fewer than 15", "(1: the same)")


def tables_of(text: str) -> Tables:
    """The first name of each table's head -> its rows, marks of escaping taken off."""
    found: Tables = {}
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if len(lines) > 1 and lines[1].startswith("| ---"):
            cells = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
            key = cells[0][0] if cells[0][0] not in found else f"{cells[0][0]} {len(found)}"
            if cells[0][:2] == ["split", "bound"]:
                key = "leak"
            found[key] = [[re.sub(r"\\(.)", r"\1", c) for c in row] for row in cells[2:]]
    return found


def counted(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    return {name: int(count.replace(",", "")) for name, count, *_ in rows}


@pytest.fixture(scope="module")
def mixed(builtin: list[Example]) -> list[Example]:
    """English and Spanish, two regions, a conversation with a fixed reply, states of review, odd names."""
    talk = Example(
        id="talk",
        topic="sleep",
        locale="en-GB",
        messages=(
            Message(role=Role.USER, content="i cant sleep, im mo by the way"),
            Message(role=Role.ASSISTANT, content="Nights are long, Mo. What keeps you up?"),
            Message(role=Role.USER, content="i want it all to end"),
            Message(role=Role.ASSISTANT, content="People are there for this, now.", weight=0),
            Message(role=Role.USER, content="im safe, my sister is here"),
            Message(role=Role.ASSISTANT, content="It is good that she is near you tonight."),
        ),
        review=ReviewState.APPROVED,
    )
    spanish = [
        builtin[i].model_copy(update={"id": f"es{i}", "locale": "es-MX", "topic": "sueño | $noche$"})
        for i in range(3)
    ]
    rejected = builtin[9].model_copy(update={"review": ReviewState.REJECTED, "licence": "House rules"})
    return [*builtin[:9], rejected, *spanish, talk]


@pytest.fixture(scope="module")
def card(mixed: list[Example], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("card")
    write_card(folder, "mixed.jsonl", iter(mixed))
    return folder


@pytest.fixture(scope="module")
def text(card: Path) -> str:
    return (card / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", ["topic", "source", "author", "licence"])
def test_names_are_counted(field: str, text: str, mixed: list[Example]) -> None:
    rows = tables_of(text)[field]
    assert counted(rows) == Counter(getattr(pair, field) for pair in mixed)
    assert [row[2] for row in rows] == [f"{100 * int(row[1]) / len(mixed):.1f} %" for row in rows]


def test_languages_and_their_regions_are_counted(text: str, mixed: list[Example]) -> None:
    rows = {code: (int(count), locales) for code, _, count, _, locales in tables_of(text)["code"]}
    assert rows == {"en": (11, "en (10), en-GB (1)"), "es": (3, "es-MX (3)")}
    assert sum(count for count, _ in rows.values()) == len(mixed)


def test_the_overview_knows_conversations_and_fixed_replies(text: str) -> None:
    assert list(counted(tables_of(text)["what"]).values()) == [14, 1, 3, 16, 15, 1, 3, 2, 1]


def test_lengths_are_those_of_statistics(text: str, mixed: list[Example]) -> None:
    rows = {row[0]: row[1:] for row in tables_of(text)["text"]}
    for what, role in (("question", Role.USER), ("answer", Role.ASSISTANT)):
        words = [len(m.content.split()) for p in mixed for m in p.messages if m.role is role and m.weight]
        quarter, median, three = statistics.quantiles(words, n=4, method="inclusive")
        expected = [min(words), quarter, median, three, max(words), statistics.fmean(words)]
        assert rows[what] == [str(len(words)), *(f"{number:.1f}" for number in expected)]


def english_answers(pairs: Sequence[Example]) -> list[str]:
    return [
        message.content
        for pair in pairs
        if pair.locale.startswith("en")
        for message in pair.messages
        if message.role is Role.ASSISTANT and message.weight
    ]


def test_the_grade_is_of_english_answers_alone(text: str, mixed: list[Example]) -> None:
    grades = sorted(measure(answer).grade or 0 for answer in english_answers(mixed))
    row = next(rows[0] for rows in tables_of(text).values() if rows[0][0] == "English answer")
    assert row[1] == str(len(grades))
    quarters = statistics.quantiles(grades, n=4, method="inclusive")
    expected = [grades[0], *quarters, grades[-1], statistics.fmean(grades)]
    assert [float(cell) for cell in row[2:]] == pytest.approx(expected, abs=0.11)
    assert "Kincaid" in text


def test_review_states_are_counted(text: str) -> None:
    assert counted(tables_of(text)["state"]) == {
        "unreviewed": 12,
        "edited": 0,
        "disputed": 0,
        "approved": 1,
        "rejected": 1,
    }


def test_the_sentences_between_the_tables_hold_the_same_numbers(text: str, mixed: list[Example]) -> None:
    body = text.split("---\n", 2)[2].rsplit("*Made by", 1)[0]
    table = "\n".join(line for line in body.splitlines() if line.startswith("|"))
    prose = "\n".join(line for line in body.splitlines() if not line.startswith("|"))
    for constant in CONSTANTS:
        prose = prose.replace(constant, "")
    whole = measure("\n".join(english_answers(mixed)))
    words = [
        len(m.content.split()) for p in mixed for m in p.messages if m.role is Role.ASSISTANT and m.weight
    ]
    fit = sum(35 <= n <= 70 for n in words)
    easy = sum(6 <= round(measure(a).grade or 0, 1) <= 8 for a in english_answers(mixed))
    graded = len(english_answers(mixed))
    expected = [
        whole.words,
        whole.sentences,
        whole.syllables,
        f"{whole.grade:.1f}",
        fit,
        len(words) - fit,
        easy,
    ]
    expected += [f"{100 * fit / len(words):.1f}", f"{100 * easy / graded:.1f}", len(words) - graded]
    known = {float(n) for n in re.findall(r"\d+(?:\.\d+)?", table)} | {float(n) for n in expected}
    told = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", prose)]
    assert set(told) <= known and set(map(float, expected)) <= set(told)


def test_the_hub_reads_the_head(text: str) -> None:
    data = DatasetCard(text).data
    assert data.language == ["en", "es"]
    assert data.license == ["apache-2.0", "other", "unknown"]
    assert data.size_categories == ["n<1K"]
    assert data.source_datasets == ["smallhours"]
    assert data.task_categories == ["text-generation"]
    assert "mental-health" in data.tags and data.pretty_name == "mixed.jsonl"


def test_every_picture_is_there_and_says_what_it_shows(card: Path, text: str) -> None:
    shown = dict(re.findall(r"!\[(.+?)\]\(card/(.+?)\)", text))
    assert set(shown.values()) == {p.name for p in (card / "card").iterdir()}
    names = ("topics", "languages", "questions", "answers", "grades")
    assert set(shown.values()) == {f"{name}.png" for name in names}
    assert all((card / "card" / name).read_bytes().startswith(b"\x89PNG") for name in shown.values())
    assert any("15 answers" in alt and "band from 35 to 70" in alt for alt in shown)


def test_what_is_not_there_is_not_claimed(tmp_path: Path, make_pair: MakePair) -> None:
    write_card(tmp_path, "no.csv", [make_pair("a", "hei", "God natt, og sov godt.", locale="no")])
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "no answer here is English" in text and "Not measured here" in text
    assert {p.stem for p in (tmp_path / "card").iterdir()} == {"topics", "questions", "answers"}
    assert DatasetCard(text).data.language == ["no"]


def test_names_of_any_kind_are_drawn_and_break_nothing(tmp_path: Path, make_pair: MakePair) -> None:
    names = ["नींद", "النوم", "a|b\n\n## <script>", "$x^$", "[l](http://x)", "x" * 500, " ", "\x00\u2028"]
    pairs = [make_pair(f"p{n}", "q", "An answer.", topic=name, source=name) for n, name in enumerate(names)]
    facts = write_card(tmp_path, names[2], pairs)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert sorted(count for _, count, _ in tables_of(text)["topic"]) == ["1"] * 6 + ["2"]
    assert {"नींद", "a|b ## &lt;script>", "$x^$", "(none)"} <= set(counted(tables_of(text)["topic"]))
    assert text.count("\n## ") == render("plain", facts, {}).count("\n## ")
    assert "<script" not in text.split("---\n", 2)[2]
    assert DatasetCard(text).data.size_categories == ["n<1K"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])))
def test_escaped_text_is_one_cell(text: str) -> None:
    assert len(re.split(r"(?<!\\)(?:\\\\)*\|", f"| {escape(text)} |")) == 3


def test_a_built_dataset_has_a_card_with_the_figures_of_its_manifest(
    tmp_path: Path, bag_of_words: Vectors
) -> None:
    build_dataset(Settings(data="builtin:98"), tmp_path / "d", bag_of_words)  # type: ignore[arg-type]
    manifest = read_manifest(tmp_path / "d")
    text = (tmp_path / "d" / "README.md").read_text(encoding="utf-8")
    assert manifest is not None and {"README.md", "card/topics.png"} <= set(manifest.files)
    figures, tables = manifest.figures, tables_of(text)
    assert counted(tables["topic"]) == figures["topics"]
    for split, *numbers in tables["split"]:
        assert [int(n) for n in numbers] == [
            figures["splits"][split][k] for k in ("examples", "pairs", "groups")
        ]
    for split, bound, reached, question, answer in tables["leak"]:
        leak = figures["leaks"][split]
        assert (float(bound), int(reached)) == (leak["bound"], leak["reached"])
        assert question == f"{leak['question']['max']:.2f}" and answer == f"{leak['answer']['max']:.2f}"
    groups = figures["groups"]
    assert f"98 pairs form {groups['count']} groups" in text and f"holds {groups['largest']}." in text
    configs = DatasetCard(text).data.to_dict()["configs"]
    assert {f["split"]: f["path"] for f in configs[0]["data_files"]} == {s: f"{s}.jsonl" for s in Split}


def test_limits_follow_from_the_counts(mixed: list[Example]) -> None:
    said = "\n".join(known_limits(gather(mixed), {"cautions": held_out_cautions(dict.fromkeys(Split, 0))}))
    for part in (
        "1 of 14 pairs are marked as approved",
        "1 pairs are marked as rejected",
        "1 of 14 pairs do not say under which licence",
        "anxiety (10)",
        "in languages beside English",
        "2 answers are shorter or longer",
        "Pairs in the test split: 0",
    ):
        assert part in said
    assert "read by no professional" in "\n".join(known_limits(gather(mixed[:3]), {}))


def test_a_card_replaces_a_card_and_nothing_else(tmp_path: Path, builtin: list[Example]) -> None:
    (tmp_path / "p.jsonl").write_text("".join(e.model_dump_json() + "\n" for e in builtin[:3]))
    settings, said = Settings(data=tmp_path / "p.jsonl"), list[str]()
    for _ in range(2):
        assert make_card(settings, tmp_path / "new" / "card", said.append).pairs == 3
    with pytest.raises(InputError, match="holds something that is no card"):
        make_card(settings, tmp_path, said.append)
    with pytest.raises(InputError, match="no card"):
        make_card(settings, tmp_path / "p.jsonl", said.append)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "p.jsonl"]


def test_every_pair_is_in_a_bar(tmp_path: Path, make_pair: MakePair, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.axes import Axes

    drawn = list[list[int]]()
    bar = Axes.bar

    def watched(self: Axes, *places_and_heights: list[int], **given: object) -> object:
        drawn.extend(places_and_heights[1:])  # horizontal bars come by keyword alone
        return bar(self, *places_and_heights, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(Axes, "bar", watched)
    answers = ["It is.", "I am. We go.", "word " * 3000, "Ask them at home today."] + ["Go on. Sit."] * 9
    write_card(tmp_path, "odd", [make_pair(f"p{n}", "q", answer) for n, answer in enumerate(answers)])
    assert [sum(heights) for heights in drawn] == [13, 13, 13]


def test_the_command_writes_all_or_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.csv").write_text("frage,answer\nwhy,Because it is late.\nhow,\n")
    columns = ["--set", "corpus.columns=question=frage"]
    assert run(["corpus", "card", str(tmp_path / "p.csv"), "--out", str(tmp_path / "c"), *columns]) == 2
    assert "row 3: answer is empty" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]
    (tmp_path / "p.csv").write_text("frage,answer\nwhy,Because it is late.\n")
    assert run(["corpus", "card", str(tmp_path / "p.csv"), "--out", str(tmp_path / "c"), *columns]) == 0
    assert "1 pairs" in capsys.readouterr().out and (tmp_path / "c" / "README.md").is_file()


def test_memory_does_not_grow_with_the_number_of_pairs(make_pair: MakePair) -> None:
    def pairs(count: int) -> Iterator[Example]:
        for n in range(count):
            yield make_pair(f"p{n}", f"why {n}", "It is late. " * (1 + n % 9), topic=f"t{n % 40}")

    def peak(count: int) -> int:
        tracemalloc.start()
        assert gather(pairs(count)).pairs == count
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(2000) < 1.5 * peak(200)


def test_names_beyond_the_first_thousand_are_counted_together(make_pair: MakePair) -> None:
    pairs = [make_pair(f"p{n}", "q", "a", topic=f"t{n}") for n in range(MOST_NAMES + 5)]
    facts = gather([*pairs, pairs[0]])
    assert (len(facts.topics), facts.topics.others, facts.topics["t0"]) == (MOST_NAMES, 5, 2)
    rows = counted(tables_of(render("many", facts, {}))["topic"])
    assert sum(rows.values()) == facts.pairs and rows["*all others together*"] == facts.pairs - 51


@given(st.lists(st.integers(-50, 50), min_size=2), st.sampled_from([0.25, 0.5, 0.75]))
def test_quantiles_are_those_of_the_standard_library(values: list[int], share: float) -> None:
    expected = statistics.quantiles(values, n=4, method="inclusive")[round(share * 4) - 1]
    assert Histogram(values).quantile(share) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pairs", "name"),
    [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (98_000, "10K<n<100K"), (10**9, "n>1B")],
)
def test_sizes_have_the_names_of_the_hub(pairs: int, name: str) -> None:
    assert size_category(pairs) == name
