"""History that fits, answers that end, sentences that join up again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.ports import Completion
from smallhours.serve.generation import finish_sentence, recent, sentences


@given(
    st.lists(st.sampled_from(["One. ", "Two! ", "Is it three? ", '"Four." ', "no end", "\n", "e.g. five "]))
)
def test_sentences_join_to_the_text(parts: list[str]) -> None:
    text = "".join(parts)
    assert "".join(sentences(text)) == text


@pytest.mark.parametrize(
    ("text", "finish", "expected"),
    [
        ("Whole. And half of", "length", "Whole."),
        ("Whole. And whole", "stop", "Whole. And whole"),
        ("no end at all", "length", ""),
        ('He said "rest." And then', "length", 'He said "rest."'),
        ("Breathe out for 4.5 seconds", "length", ""),
    ],
)
def test_an_answer_cut_by_the_limit_ends_at_its_last_sentence(text: str, finish: str, expected: str) -> None:
    assert (
        finish_sentence(Completion.model_validate({"text": text, "tokens": 9, "finish": finish})) == expected
    )


@given(
    st.lists(st.tuples(st.sampled_from([Role.USER, Role.ASSISTANT]), st.text(max_size=60)), max_size=30),
    st.text(min_size=1),
)
def test_the_models_history_fits_and_begins_and_ends_with_the_person(
    turns: list[tuple[Role, str]], last: str
) -> None:
    messages = [Message(role=r, content=c) for r, c in turns] + [Message(role=Role.USER, content=last)]
    kept = recent(Conversation(messages=tuple(messages)), budget=100)
    assert kept.messages[0].role is Role.USER
    assert kept.messages[-1].content == last[-100:]
    assert sum(len(m.content) for m in kept.messages) <= 100
