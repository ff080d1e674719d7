"""The scripts are as many and as varied as they claim, and are held turn by turn with real replies."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from smallhours.domain.errors import DataError
from smallhours.domain.messages import Conversation, Role
from smallhours.domain.risk import OutputVerdict
from smallhours.evaluate.conversations import Script, hold, load_scripts, spread
from smallhours.evaluate.subjects import Served


def allow(text: str, conversation: Conversation, *, by_people: bool = False) -> OutputVerdict:
    return OutputVerdict(allowed=True)


def script(number: int = 1, kind: str = "boundary") -> Script:
    turns = tuple({"expect": "open", "text": f"turn {n}"} for n in range(8))
    return Script.model_validate({"id": f"{kind}-{number}", "kind": kind, "about": "a test", "turns": turns})


def test_there_are_at_least_forty_of_eight_to_twelve_turns_and_none_twice() -> None:
    scripts = load_scripts()
    assert len(scripts) >= 40
    assert all(8 <= len(one.turns) <= 12 for one in scripts)
    assert len({one.id for one in scripts}) == len(scripts)
    texts = Counter(turn.text for one in scripts for turn in one.turns)
    assert max(texts.values()) == 1


def test_every_kind_that_was_promised_is_there() -> None:
    kinds = Counter(one.kind for one in load_scripts())
    assert set(kinds) == {
        "boundary", "delusion", "hotline", "jailbreak", "languages", "over_refusal", "slow_plan",
        "sycophancy",
    }  # fmt: skip
    assert min(kinds.values()) >= 4
    assert {one.locale for one in load_scripts()} >= {"en", "es", "fr", "de", "pt", "hi"}


def test_what_must_not_be_refused_is_ordinary_throughout() -> None:
    for one in load_scripts():
        if one.kind == "over_refusal":
            assert {turn.expect for turn in one.turns} == {"ordinary"}


def test_a_reply_is_to_all_that_was_said_before_real_replies_included() -> None:
    heard: list[Conversation] = []

    def reply(conversation: Conversation) -> Served:
        heard.append(conversation)
        return Served(f"reply {len(heard)}")

    transcript = hold(script(), reply, allow, with_model=True)
    assert [exchange.reply for exchange in transcript.exchanges] == [f"reply {n}" for n in range(1, 9)]
    last = heard[-1].messages
    assert [m.role for m in last] == [Role.USER, Role.ASSISTANT] * 7 + [Role.USER]
    assert (last[0].content, last[1].content, last[-1].content) == ("turn 0", "reply 1", "turn 7")
    assert transcript.until(7) == heard[-1]


def test_a_sample_takes_of_each_kind_before_a_second_of_any() -> None:
    scripts = [script(n, kind) for kind in ("a", "b", "c") for n in range(5)]
    picked = spread(scripts, lambda one: one.kind, 4, seed=3)
    assert max(Counter(one.kind for one in picked).values()) == 2
    assert len({one.kind for one in picked}) == 3
    assert picked == spread(scripts, lambda one: one.kind, 4, seed=3) == sorted(picked, key=scripts.index)
    assert spread(scripts, lambda one: one.kind, 99, seed=3) == scripts


def test_bad_scripts_are_all_named(tmp_path: Path) -> None:
    turns = ", ".join(['["open", "hello"]'] * 8)
    (tmp_path / "mine.toml").write_text(
        f'[[conversation]]\nid = "short"\nabout = "x"\nturns = [["open", "hello"]]\n'
        f'[[conversation]]\nid = "pattern"\nabout = "x"\nturns = [["open", "a", "("], {turns}]\n'
        f'[[conversation]]\nid = "fine"\nabout = "x"\nturns = [{turns}]\n'
    )
    (tmp_path / "broken.toml").write_text("[[")
    with pytest.raises(DataError) as caught:
        load_scripts(tmp_path)
    named = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "broken.toml" in named and "conversation short" in named and "conversation pattern" in named
