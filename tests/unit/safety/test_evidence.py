"""Phrases, head and reader: added up, but for what is said outright."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.messages import Conversation
from smallhours.domain.risk import Finding, RiskCategory, RiskLevel
from smallhours.safety import SafetyPipeline, evidence
from smallhours.safety.evidence import (
    HEAD,
    OUTRIGHT,
    OUTWEIGHED,
    READER,
    Evidence,
    Scores,
    kind,
    weighed,
    weighed_reply,
)

LONG_SCALE = Evidence(bias=-1.0, common=(1.0, 1.0, -0.5, 0.0, 0.0), rules={"faint": 0.2, "loud": 3.0})
SHORT_SCALE = Evidence(bias=-1.0, common=(1.0, 1.0, 0.0, 0.0, 0.0))
SCALES = {
    "long": LONG_SCALE,
    "long_other": LONG_SCALE.model_copy(update={"threshold": 2.0}),
    "short": SHORT_SCALE,
    "short_other": SHORT_SCALE.model_copy(update={"threshold": 2.0}),
}
STORY = (
    "This is about work, mostly. We moved in the spring and I took over the whole team, and since then the "
    "days are long and the evenings short. My sister says that I should ask for help with the children. "
)


def rule(name: str, level: RiskLevel = RiskLevel.ELEVATED) -> Finding:
    return Finding(detector="crisis", rule=name, category=RiskCategory.SUICIDE, level=level)


def head(score: float | None, level: RiskLevel = RiskLevel.NONE) -> Finding:
    return Finding(detector=HEAD, rule="learned", category=RiskCategory.SUICIDE, level=level, score=score)


def reader(score: float, level: RiskLevel = RiskLevel.NONE) -> Finding:
    return Finding(detector=READER, rule="read", level=level, score=score)


def text(words: int) -> str:
    return " ".join(["word"] * words)


def levels(findings: list[Finding], words: int) -> list[RiskLevel]:
    return [f.level for f in weighed(findings, text(words), SCALES)]


class TestLongMessages:
    def test_a_faint_phrase_in_a_story_that_alarms_nobody_is_outweighed(self) -> None:
        (phrase, _) = weighed([rule("faint"), head(-0.5)], text(60), SCALES)
        assert (phrase.level, phrase.excepted) == (RiskLevel.LOW, OUTWEIGHED)

    def test_a_telling_phrase_needs_no_support(self) -> None:
        assert levels([rule("loud"), head(-0.5)], 60)[0] is RiskLevel.ELEVATED

    def test_neither_alone_and_both_together(self) -> None:
        assert levels([rule("faint"), head(1.3)], 60) == [RiskLevel.ELEVATED, RiskLevel.NONE]
        assert levels([head(1.3)], 60) == [RiskLevel.NONE]

    def test_the_head_may_be_sure_enough_by_itself(self) -> None:
        assert levels([head(2.4)], 60) == [RiskLevel.ELEVATED]

    def test_its_alarm_is_worth_less_the_longer_it_reads(self) -> None:
        loud = [head(1.2, RiskLevel.HIGH)]
        assert levels(loud, 25) == [RiskLevel.HIGH]
        assert levels(loud, 300) == [RiskLevel.NONE]

    def test_the_reader_may_speak_for_or_against(self) -> None:
        assert levels([head(-0.5), reader(3.0)], 60) == [RiskLevel.ELEVATED]
        assert levels([rule("loud"), head(0.0), reader(-4.0)], 60)[0] is RiskLevel.LOW

    @pytest.mark.parametrize("name", sorted(OUTRIGHT))
    def test_what_is_said_outright_is_not_weighed(self, name: str) -> None:
        found = [rule(name, RiskLevel.HIGH), rule("faint"), head(-9.0), reader(-9.0)]
        assert levels(found, 500) == [RiskLevel.HIGH, RiskLevel.ELEVATED, RiskLevel.NONE]


class TestShortMessages:
    def test_a_phrase_stands(self) -> None:
        assert levels([rule("faint"), head(-0.5), reader(-5.0)], 24)[0] is RiskLevel.ELEVATED

    def test_the_sum_raises(self) -> None:
        assert levels([head(0.5), reader(2.0)], 10) == [RiskLevel.ELEVATED]

    def test_the_heads_alarm_needs_the_sum(self) -> None:
        assert levels([head(0.9, RiskLevel.ELEVATED), reader(-3.0)], 10) == [RiskLevel.NONE]


class TestWhatIsLeft:
    def test_one_learned_finding_the_worse_of_two(self) -> None:
        found = weighed([head(2.0, RiskLevel.ELEVATED), reader(4.0, RiskLevel.HIGH)], text(60), SCALES)
        assert [(f.detector, f.level) for f in found] == [(HEAD, RiskLevel.HIGH)]

    @pytest.mark.parametrize("learned", [[], [head(None)]])
    def test_without_the_head_the_rules_stand(self, learned: list[Finding]) -> None:
        assert weighed([rule("faint"), *learned], text(60), SCALES) == (rule("faint"),)


class TestKinds:
    @pytest.mark.parametrize(
        ("said", "wanted"),
        [
            ("i do not know what to do", "short"),
            ("i do not know what to do " * 4, "long"),
            ("je ne sais pas quoi faire", "short_other"),
            ("je ne sais pas quoi faire " * 5, "long_other"),
            ("我不知道该怎么办" * 3, "short_other"),
            ("我不知道该怎么办" * 7, "long_other"),
        ],
    )
    def test_length_and_language_tell_the_kind(self, said: str, wanted: str) -> None:
        assert kind(said) == wanted

    def test_each_kind_has_a_threshold_of_its_own(self) -> None:
        said = [head(2.4)]
        found = [
            weighed(said, wording * 5, SCALES)[0].level
            for wording in ("i do not know you ", "je ne me suis pas ")
        ]
        assert found == [RiskLevel.ELEVATED, RiskLevel.NONE]


@given(st.floats(-9, 9), st.floats(-9, 9), st.integers(1, 400), st.sampled_from(sorted(evidence.shipped())))
def test_one_more_phrase_never_lowers_the_sum(margin: float, read: float, words: int, name: str) -> None:
    scale, scores = evidence.shipped()[name], Scores(margin, read)
    for rule_name in sorted(scale.rules):
        assert scale.total(scores, words, [rule_name]) >= scale.total(scores, words)


class TestAsItShips:
    pipeline = SafetyPipeline()

    def level(self, text: str) -> RiskLevel:
        return self.pipeline.screen_input(Conversation.of(text)).level

    def test_a_long_story_does_not_hide_what_is_said_outright(self) -> None:
        assert self.level(STORY * 3 + "I want to kill myself. " + STORY * 3).rank >= RiskLevel.HIGH.rank

    @pytest.mark.parametrize(
        "text",
        [
            STORY
            + "When I was nineteen I was suicidal for a winter, and I am so glad that I got help and stayed. "
            "These days I sleep well and I only want to know how other people hand work back without a fuss.",
            STORY
            + "For class we read a novel in which a character dies by suicide, and the discussion about "
            "suicidal thoughts in literature took the whole hour. The essay is due on Monday.",
        ],
    )
    def test_a_story_in_which_suicide_is_past_or_a_subject_is_no_crisis(self, text: str) -> None:
        assert not self.level(text).is_crisis


REPLY_SCALE = Evidence(bias=-1.0, common=(0.0, 1.0, 0.0, 0.0, 0.0), rules={"faint": 0.5, "loud": 3.0})


class TestReplies:
    scales: ClassVar = {"reply": REPLY_SCALE}

    def forbids(self, *findings: Finding) -> bool:
        return not all(f.excepted for f in weighed_reply(findings, self.scales))

    def test_what_reads_harmful_is_forbidden_without_any_rule(self) -> None:
        assert self.forbids(reader(1.0))
        assert not self.forbids(reader(0.9))

    def test_an_imprecise_rule_is_added_to_what_was_read(self) -> None:
        assert self.forbids(reader(0.5), rule("faint"))
        assert not self.forbids(reader(0.4), rule("faint"))
        assert self.forbids(reader(-2.0), rule("loud"))

    def test_what_is_outweighed_says_so(self) -> None:
        (found,) = weighed_reply([reader(-3.0), rule("loud")], self.scales)
        assert (found.rule, found.excepted) == ("loud", OUTWEIGHED)

    def test_a_rule_without_a_weight_stands(self) -> None:
        assert self.forbids(reader(-8.0), rule("precise"))
        kept = weighed_reply([reader(-8.0), rule("precise"), rule("loud")], self.scales)
        assert {f.rule: f.excepted for f in kept} == {"precise": None, "loud": OUTWEIGHED}

    def test_an_excepted_rule_weighs_nothing(self) -> None:
        excused = rule("loud").model_copy(update={"excepted": "negation"})
        assert not self.forbids(reader(0.0), excused)

    def test_where_nothing_was_read_rules_stand(self) -> None:
        assert self.forbids(rule("faint"))

    def test_unweighed_everything_forbids(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(_: object) -> tuple[Finding, ...]:
            raise RuntimeError

        monkeypatch.setattr(evidence, "weighed_reply", broken)
        guard = SafetyPipeline({}, {READER: lambda _: [reader(-8.0)]})
        assert not guard.screen_output("All is well here.", Conversation.of("hello")).allowed
