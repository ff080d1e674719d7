"""The whole path, against the case tables, under distortion, and with broken guards."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.risk import Action, Decision, Finding, RiskLevel
from smallhours.safety import SafetyPipeline
from smallhours.safety.detectors import crisis, reply

HELLO = Conversation.of("hello")
PLAIN = SafetyPipeline()
STATEMENTS = (
    "i want to kill myself",
    "i just took 30 tylenol",
    "everyone would be better off without me",
    "i cut myself last night",
    "my friend said she wants to end it",
    "my boyfriend hits me",
    "how many pills does it take to die",
)


def level(text: str) -> RiskLevel:
    return PLAIN.screen_input(Conversation.of(text)).level


def broken(_: str) -> list[Finding]:
    raise RuntimeError("a guard that breaks")


def test_every_line_of_the_case_tables(input_case: dict[str, Any], screen: Callable[[str], Decision]) -> None:
    decision = screen(input_case["text"])
    wanted = input_case["level"]
    low, high = (wanted["min"], wanted["max"]) if isinstance(wanted, dict) else (wanted, wanted)
    assert RiskLevel(low).rank <= decision.level.rank <= RiskLevel(high).rank, input_case["why"]
    assert set(input_case["categories"]) <= {c.value for c in decision.categories}


def test_every_line_of_the_reply_tables(reply_case: dict[str, Any], pipeline: SafetyPipeline) -> None:
    verdict = pipeline.screen_output(reply_case["text"], HELLO)
    assert verdict.allowed is reply_case["allowed"]
    if "rule" in reply_case:
        assert reply_case["rule"] in {f.rule for f in verdict.findings if not f.excepted}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(STATEMENTS),
    st.sampled_from(
        [
            str.upper,
            str.title,
            lambda t: t.replace(" ", "\u200b "),
            lambda t: t.replace("e", "e\u200d"),
            lambda t: t + "!!!",
            lambda t: f"... {t} ...",
            lambda t: t.replace(" ", "   "),
            lambda t: t.replace(" ", "\n"),
            lambda t: f"Good evening. I had pasta for dinner. {t}. Anyway, the weather is nice.",
            lambda t: f"lol jk. {t}",
            lambda t: f"this exam is killing me, {t}",
            lambda t: f"my mental health is fine, kill time, dying to see it. {t}",
            lambda t: f"“{t}”",
        ]
    ),
)
def test_distortions_and_padding_never_lower_the_level(statement: str, distort: Callable[[str], str]) -> None:
    assert level(distort(statement)).rank >= level(statement).rank


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gets_a_decision(text: str) -> None:
    decision = PLAIN.screen_input(Conversation.of(text))
    assert not any(f.rule == "guard_error" for f in decision.findings)
    assert all(0 <= f.span[0] <= f.span[1] <= len(text) for f in decision.findings)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_nothing_around_a_statement_hides_it(before: str, after: str) -> None:
    assert level(f"{before}\n\ni want to kill myself\n\n{after}").rank >= RiskLevel.HIGH.rank


def test_a_megabyte_takes_seconds_and_is_read_to_the_end() -> None:
    text = "the weather was fine and we went for a walk. " * 22_000 + "i want to kill myself"
    began = time.perf_counter()
    assert level(text).rank >= RiskLevel.HIGH.rank
    assert time.perf_counter() - began < 6  # about 1 s on a quiet machine


def test_an_ordinary_message_takes_milliseconds() -> None:
    words = "i had a long day at work and my boss gave me more tasks than i can finish today "
    PLAIN.screen_input(Conversation.of(words * 3))
    began = time.perf_counter()
    for number in range(20):
        PLAIN.screen_input(Conversation.of(f"{words * 3} {number}"))
    assert (time.perf_counter() - began) / 20 < 0.12  # about 35 ms on a quiet machine


class TestGuardErrors:
    def test_a_broken_input_guard_escalates(self) -> None:
        decision = SafetyPipeline({"crisis": broken}).screen_input(HELLO)
        assert decision.level is RiskLevel.ELEVATED
        assert decision.action is not Action.ANSWER
        assert [(f.detector, f.rule) for f in decision.findings] == [("pipeline", "guard_error")]

    def test_the_other_guards_still_count(self) -> None:
        pipeline = SafetyPipeline({"harm": broken, "crisis": crisis.detect})
        decision = pipeline.screen_input(Conversation.of("i want to kill myself"))
        assert decision.level is RiskLevel.HIGH

    def test_an_error_is_not_remembered(self) -> None:
        answers: Iterator[bool] = iter([False, False, True])

        def flaky(text: str) -> list[Finding]:
            if not next(answers, True):
                raise RuntimeError
            return []

        pipeline = SafetyPipeline({"crisis": flaky})
        assert pipeline.screen_input(HELLO).level is RiskLevel.ELEVATED
        assert pipeline.screen_input(HELLO).level is RiskLevel.NONE

    def test_a_broken_output_guard_forbids(self) -> None:
        verdict = SafetyPipeline({}, {"reply": broken}).screen_output("Hello.", HELLO)
        assert not verdict.allowed

    def test_a_broken_output_guard_stops_a_stream(self) -> None:
        stream = SafetyPipeline({}, {"reply": broken}).screen_stream(["Hello. ", "You."], HELLO)
        assert list(stream) == []


class TestStream:
    def pieces(self, *chunks: str) -> list[str]:
        return list(PLAIN.screen_stream(chunks, HELLO))

    def test_only_whole_sentences_come_out(self) -> None:
        assert self.pieces("That sounds ha", "rd. What ", "happened?") == [
            "That sounds hard.",
            " What happened?",
        ]

    def test_it_stops_before_the_first_bad_sentence(self) -> None:
        out = self.pieces("I hear you. ", "Take 50 mg of sertraline. ", "Good luck.")
        assert out == ["I hear you."]

    def test_what_is_split_over_chunks_is_seen_whole(self) -> None:
        assert self.pieces("You have de", "pression. ", "Bye.") == []

    def test_it_returns_the_verdict(self) -> None:
        stream = PLAIN.screen_stream(["You have depression. "], HELLO)
        with pytest.raises(StopIteration) as stopped:
            next(stream)
        assert not stopped.value.value.allowed

    def test_nothing_is_lost(self) -> None:
        text = "One. Two! Three? And\nfour, without an end"
        assert "".join(self.pieces(*text)) == text


def test_excused_findings_do_not_forbid_a_reply() -> None:
    verdict = PLAIN.screen_output("I can't promise that it will get better.", HELLO)
    assert verdict.allowed
    assert reply.detect("I can't promise that it will get better.")


def test_importing_the_package_loads_no_torch_and_no_web() -> None:
    code = (
        "import sys, smallhours.safety; "
        "print([m for m in ('torch', 'fastapi', 'transformers', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


MESSAGES = st.one_of(st.sampled_from((*STATEMENTS, "hello", "how do i cook rice", "")), st.text(max_size=40))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(MESSAGES, min_size=1, max_size=4), max_size=8))
def test_many_are_screened_as_each_is(talks: list[list[str]]) -> None:
    conversations = [
        Conversation(messages=tuple(Message(role=Role.USER, content=text) for text in texts))
        for texts in talks
    ]
    together = list(PLAIN.screen_many(conversations))
    alone = [PLAIN.screen_input(c) for c in conversations]
    assert list(map(unscored, together)) == list(map(unscored, alone))
    # Sums in another order differ in their last digits, and a score is rounded to three.
    assert [d.score for d in together] == pytest.approx([d.score for d in alone], abs=0.002)


def unscored(decision: Decision) -> Decision:
    """The decision and its findings without the numbers behind them."""
    findings = tuple(finding.model_copy(update={"score": None}) for finding in decision.findings)
    return decision.model_copy(update={"score": 0.0, "findings": findings})


class TestManyAtOnce:
    def test_no_more_are_read_ahead_than_a_few_hundred(self) -> None:
        read: list[int] = []
        endless = (read.append(number) or Conversation.of(f"hello {number}") for number in itertools.count())
        assert next(PLAIN.screen_many(endless)).level is RiskLevel.NONE
        assert len(read) <= 256

    def test_where_the_bulk_detector_breaks_each_goes_by_itself(self) -> None:
        def breaks(_: Sequence[str]) -> Sequence[Sequence[Finding]]:
            raise RuntimeError("out of memory")

        pipeline = SafetyPipeline({"crisis": crisis.detect}, bulk_detectors={crisis.detect: breaks})
        many = [HELLO, Conversation.of("i want to kill myself")]
        assert list(pipeline.screen_many(many)) == [pipeline.screen_input(one) for one in many]

    def test_where_one_by_one_breaks_too_it_escalates(self) -> None:
        pipeline = SafetyPipeline({"crisis": broken}, bulk_detectors={broken: lambda _: []})
        assert [decision.level for decision in pipeline.screen_many([HELLO])] == [RiskLevel.ELEVATED]

    def test_what_is_found_for_many_stands_for_what_is_found_in_each(self) -> None:
        found = Finding(detector="crisis", rule="r", level=RiskLevel.HIGH)
        pipeline = SafetyPipeline(
            {"crisis": broken}, bulk_detectors={broken: lambda texts: [[found]] * len(texts)}
        )
        assert [decision.level for decision in pipeline.screen_many([HELLO])] == [RiskLevel.HIGH]

    def test_bulk_detection_is_for_its_own_detector_only(self) -> None:
        decisions = list(SafetyPipeline({"classifier": broken}).screen_many([HELLO]))
        assert decisions[0].level is RiskLevel.ELEVATED
