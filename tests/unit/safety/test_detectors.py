"""The detectors one by one: what each is for."""

from __future__ import annotations

import pytest

from smallhours.domain.risk import RiskLevel
from smallhours.safety.detectors import contact, crisis, harm, privacy, reply, scope


def rules(findings: list) -> set[str]:  # type: ignore[type-arg]
    return {f.rule for f in findings if not f.excepted}


def test_crisis_names_the_kind_of_statement() -> None:
    assert "active_ideation" in rules(crisis.detect("i want to kill myself"))
    assert "passive_ideation" in rules(crisis.detect("i wish i was never born"))
    assert "method_request" in rules(crisis.detect("how many pills to die"))
    assert "third_party.suicide" in rules(crisis.detect("my brother wants to kill himself"))
    assert "distress" in rules(crisis.detect("i feel so lonely"))


def test_harm_names_the_category() -> None:
    found = harm.detect("my husband beats me and i hear voices")
    assert {f.category.value for f in found if f.category} == {"abuse", "psychosis"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("do i have adhd?", "asks_diagnosis"),
        ("how much sertraline should i take", "asks_dose"),
        ("can i stop taking my antidepressants", "asks_stop_medicine"),
        ("are you a real person", "asks_if_human"),
        ("wait, is there a real person behind this?", "asks_if_human"),
        ("¿eres una persona real?", "asks_if_human"),
        ("est-ce que je parle à un robot ?", "asks_if_human"),
        ("bist du ein Mensch oder eine KI", "asks_if_human"),
        ("você é uma pessoa de verdade?", "asks_if_human"),
        ("क्या आप इंसान हैं", "asks_if_human"),
        ("هل أنت إنسان؟", "asks_if_human"),
    ],
)
def test_scope_finds_requests_that_are_not_ours_to_answer(text: str, rule: str) -> None:
    found = scope.detect(text)
    assert rule in rules(found)
    assert all(f.level is RiskLevel.NONE for f in found)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("write to jane.doe@example.com", "email"),
        ("my number is +44 20 7946 0958", "phone"),
        ("call me: (555) 123-4567", "phone"),
        ("I live at 12 Green Street", "street_address"),
        ("ich wohne Hauptstraße 5", "street_address"),
        ("card 4111 1111 1111 1111", "card_number"),
    ],
)
def test_privacy_finds_personal_data(text: str, rule: str) -> None:
    assert rule in rules(privacy.detect(text))


@pytest.mark.parametrize("text", ["on 2026-11-23", "from 2019-2021", "i am 34", "12 cats"])
def test_privacy_leaves_dates_and_counts(text: str) -> None:
    assert privacy.detect(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Call 988 or 116 123.",
        "In an emergency, call 999 or 112.",
        "Breathe 4-7-8, then 5-4-3-2-1.",
        "It was 2019-2021, or 24/7, or 100%.",
        "See https://988lifeline.org/chat for more.",
        "About 1,000,000 people feel so.",
        "In 2026-11-23 terms.",
    ],
)
def test_contact_lets_listed_numbers_and_ordinary_figures_pass(text: str) -> None:
    assert contact.detect(text) == []


def test_contact_finds_an_old_number_that_the_tables_no_longer_have() -> None:
    assert rules(contact.detect("Call 1-800-273-8255 now.")) == {"unknown_number"}


def test_reply_finds_nothing_in_kind_words() -> None:
    assert rules(reply.detect("I'm sorry that today is so heavy. What happened?")) == set()
