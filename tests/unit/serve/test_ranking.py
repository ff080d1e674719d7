"""The better answer wins: about what was asked first, then warm, concrete and short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smallhours.corpus.sources import builtin_pairs
from smallhours.domain.risk import Finding, OutputVerdict
from smallhours.semantics.vectors import shared_vectors
from smallhours.serve.ranking import SCORERS, Answer, Candidate, best, judge, repeated_share
from smallhours.serve.recall import Recall
from smallhours.serve.wording import Wording, words

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "cases" / "ranking.jsonl").read_text().splitlines()
]
ALLOWED = OutputVerdict(allowed=True)
QUESTION = "i lie awake before every exam"
GOOD = (
    "Lying awake before an exam is hard. Write the first thing you will do tomorrow on a card, put it by "
    "your bag, and read something dull for ten minutes."
)


@pytest.fixture(scope="module")
def pairs() -> Recall:
    return Recall.of(builtin_pairs("98"), shared_vectors())


def judged(pairs: Recall, question: str, *texts: str, verdict: OutputVerdict = ALLOWED) -> list[Candidate]:
    near = pairs.nearest(question, 8)
    return judge(texts, question, near, pairs.encoder, pairs.wording, lambda text: verdict)


def chosen(pairs: Recall, case: dict[str, str]) -> str | None:
    found = best(judged(pairs, case["question"], case["worse"], case["better"]))
    return found.text if found else None


@pytest.mark.parametrize(
    ("why", "at_least"), [("subject", 0.9), ("echo", 1.0), ("cold", 1.0), ("vague", 1.0), ("long", 1.0)]
)
def test_the_better_answer_wins(pairs: Recall, why: str, at_least: float) -> None:
    cases = [case for case in CASES if case["why"] == why]
    lost = [case["question"] for case in cases if chosen(pairs, case) != case["better"]]
    assert len(lost) <= (1 - at_least) * len(cases), lost


def test_a_good_answer_may_be_sent_and_says_what_its_score_is_made_of(pairs: Recall) -> None:
    (found,) = judged(pairs, QUESTION, GOOD)
    assert found.rejected == () and [name for name, _ in found.parts] == [s.name for s in SCORERS]
    assert all(0 <= part <= 1 for _, part in found.parts)
    assert found.score == pytest.approx(
        sum(s.weight * p for s, (_, p) in zip(SCORERS, found.parts, strict=True))
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Rest a little.", "too_short"),
        ("An exam is hard and an exam is hard and an exam is hard and an exam is hard.", "repetitive"),
        ("You lie awake before every exam, and before every exam you lie awake.", "echo"),
        ("Stop worrying about the exam and go to sleep, it is only one exam of many.", "scolding"),
        ("Lying awake before an exam \ufffd\ufffd is hard, so write down the first thing to do.", "garbled"),
        ("Copper wire is exported under tariffs that the ministry sets for each quarter.", "off_topic"),
    ],
)
def test_what_may_not_be_sent_is_named(pairs: Recall, text: str, reason: str) -> None:
    bad, good = judged(pairs, QUESTION, text, GOOD)
    assert reason in bad.rejected and best([bad, good]) == good


@pytest.mark.parametrize("findings", [(), (Finding(detector="reply", rule="diagnosis"),)])
def test_the_guards_no_is_final_even_without_a_reason(pairs: Recall, findings: tuple[Finding, ...]) -> None:
    (found,) = judged(pairs, QUESTION, GOOD, verdict=OutputVerdict(allowed=False, findings=findings))
    assert found.rejected and best([found]) is None


def test_without_vetted_pairs_the_question_alone_decides(pairs: Recall) -> None:
    texts = ["Money is short for many. Write down three bills today and ask an adviser this week.", GOOD]
    found = judge(texts, QUESTION, [], pairs.encoder, Wording([]), lambda text: ALLOWED)
    assert best(found) == found[1]


def test_of_equals_the_first_wins_which_is_the_greedy_one(pairs: Recall) -> None:
    first, second = judged(pairs, QUESTION, GOOD, GOOD)
    assert best([first, second]) is first


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("warmth", "That sounds hard. Eat something.", "Eat something. Sit down."),
        ("warmth", "Eat something. That sounds hard.", "Eat something. Sit down."),
        ("concreteness", "Write one line tonight and call a friend.", "Things are as they are."),
        ("brevity", "word " * 40, "word " * 120),
        ("brevity", "word " * 40, "word " * 9),
    ],
)
def test_each_scorer_prefers_what_it_says(name: str, better: str, worse: str) -> None:
    scorer = next(s for s in SCORERS if s.name == name)
    assert scorer.score(Answer(better, 0.5, 0.5, 0.1)) > scorer.score(Answer(worse, 0.5, 0.5, 0.1))
    assert scorer.explains


class TestWording:
    def test_rare_words_in_common_count_more_than_frequent_ones(self, pairs: Recall) -> None:
        rare = pairs.wording.shared("The hamster is lost and gone", "my hamster")
        common = pairs.wording.shared("The hamster is lost and gone", "and the")
        assert 0 < common < rare < 1

    def test_endings_make_no_difference(self) -> None:
        assert words("Exams, worrying; worried") == ["exam", "worry", "worri"]

    def test_no_pairs_know_no_words_and_say_nothing_about_them(self) -> None:
        assert Wording([]).shared("any answer", "any question") == 0
        assert Wording([]).unknown("xqz vbn mnb", "anything") == 0


@pytest.mark.parametrize(
    ("text", "low", "high"), [("a b c d e f g", 0, 0), ("go to bed now " * 5, 0.7, 1), ("", 0, 0)]
)
def test_repetition_is_a_share(text: str, low: float, high: float) -> None:
    assert low <= repeated_share(text) <= high
