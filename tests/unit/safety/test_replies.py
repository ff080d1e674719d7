"""Fixed replies: the right words, the right country, never twice the same."""

from __future__ import annotations

import re

import pytest

from smallhours.domain.messages import Conversation
from smallhours.domain.risk import Decision, RiskLevel
from smallhours.safety import SafetyPipeline, replies
from smallhours.safety.helplines import tables

PIPELINE = SafetyPipeline()
LANGUAGES = ("en", "es", "fr", "de", "pt", "hi", "ar")


def decision(text: str) -> Decision:
    return PIPELINE.screen_input(Conversation.of(text))


@pytest.mark.parametrize(
    ("locale", "country", "expected"),
    [
        ("en-GB", None, "GB"),
        ("en_gb", None, "GB"),
        ("en", None, "ZZ"),
        ("fr", None, "FR"),
        ("es", None, "ES"),
        ("es-MX", None, "MX"),
        ("es-419", None, "ZZ"),
        ("pt-BR", None, "BR"),
        ("hi", None, "IN"),
        ("ja", None, "JP"),
        ("nl", None, "ZZ"),
        ("nl-BE", None, "BE"),
        ("en-XX", None, "ZZ"),
        ("de", "ie", "IE"),
        ("en", "QQ", "ZZ"),
        ("", None, "ZZ"),
    ],
)
def test_which_country(locale: str, country: str | None, expected: str) -> None:
    assert replies.country_of(locale, country) == expected


def test_plain_english_shows_the_directory_and_the_us_line_by_name() -> None:
    reply = replies.crisis_reply(decision("i want to die"), "en")
    assert reply.country is None
    assert any("United States" in r.name and r.tel == "988" for r in reply.resources)
    assert reply.resources[0] in tables()["ZZ"].resources


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ["i wish i was dead", "i want to kill myself", "i took all my pills"])
def test_every_language_and_level_has_filled_words(language: str, text: str) -> None:
    reply = replies.crisis_reply(decision(text), language)
    assert "{" not in reply.text
    assert reply.resources
    assert reply.disclaimer == replies.disclaimer(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_second_reply_is_worded_differently(language: str) -> None:
    found = decision("i want to kill myself")
    first = replies.crisis_reply(found, language).text
    assert replies.crisis_reply(found, language, previous_reply=first).text != first
    is_ai = replies.identity_reply(language).text
    assert replies.identity_reply(language, is_ai).text != is_ai
    calm = replies.boundary_reply(language).text
    assert replies.boundary_reply(language, calm).text != calm
    down = replies.unavailable_reply(language).text
    assert replies.unavailable_reply(language, down).text != down


def test_an_imminent_reply_names_the_emergency_number_in_its_first_sentence() -> None:
    reply = replies.crisis_reply(decision("i just took 30 tylenol"), "en-GB")
    assert "999" in reply.text.split(".")[0]


def test_abuse_shows_the_line_for_abuse_first() -> None:
    reply = replies.crisis_reply(decision("my boyfriend hits me"), "en-US")
    assert reply.resources[0].kind == "domestic_violence"


def test_worry_about_somebody_else_gets_words_for_that() -> None:
    own = replies.crisis_reply(decision("i wish i was dead"), "en").text
    other = replies.crisis_reply(decision("my friend said she wants to end it"), "en").text
    assert own != other


def test_an_unknown_language_gets_english() -> None:
    reply = replies.crisis_reply(decision("i want to die"), "xx-GB")
    assert reply.text == replies.crisis_reply(decision("i want to die"), "en-GB").text


def test_our_own_words_pass_our_own_guard() -> None:
    hello = Conversation.of("hello")
    for language in LANGUAGES:
        wording = replies._wordings()[language]
        country = replies.country_of(language)
        for part in (wording.elevated, wording.high, wording.imminent, wording.boundary):
            for variants in part.values():
                for variant in variants:
                    text = replies._filled(variant, wording, country)
                    assert PIPELINE.screen_output(text, hello, by_people=True).allowed, text


def test_each_safety_question_knows_which_answer_means_danger() -> None:
    danger = {q.text: q.danger for q in replies.questions()}
    assert danger["Are you safe right now?"] == "no"
    assert danger["Are you having thoughts of ending your life?"] == "yes"
    assert danger["هل أنت بأمان الآن؟"] == danger["هل تشعر بالأمان حيث أنت الآن؟"] == "no"
    assert danger["هل تفكر في إنهاء حياتك؟"] == "yes"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_that_english_has(language: str) -> None:
    english, wording = replies._wordings()["en"], replies._wordings()[language]
    for part in ("elevated", "high", "imminent", "boundary"):
        ours: dict[str, tuple[str, ...]] = getattr(wording, part)
        theirs: dict[str, tuple[str, ...]] = getattr(english, part)
        assert {key: len(texts) for key, texts in ours.items()} == {k: len(v) for k, v in theirs.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_imminent_reply_says_the_emergency_number_first_in_every_language(language: str) -> None:
    for variants in replies._wordings()[language].imminent.values():
        for text in variants:
            assert "{emergency}" in re.split(r"[.!?؟।]", text)[0], text


def test_countries_and_resources() -> None:
    assert {"US", "GB", "FR", "DE", "IN"} <= set(replies.countries())
    assert "ZZ" not in replies.countries()
    assert replies.resources("gb") == tables()["GB"].resources
    assert replies.resources("QQ") == tables()["ZZ"].resources


def test_a_reply_for_a_guard_error_still_has_words() -> None:
    broken = SafetyPipeline({"x": lambda _: 1 / 0}).screen_input(Conversation.of("hi"))  # type: ignore[arg-type, return-value]
    assert broken.level is RiskLevel.ELEVATED
    assert replies.crisis_reply(broken, "en").text
