"""A rewording stands for its question, or is dropped for a reason that has a name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smallhours.corpus.judge import Judge, Objection
from smallhours.corpus.rewording import candidates
from smallhours.corpus.screening import read_as_ordinary
from smallhours.domain.errors import SettingsError
from smallhours.domain.messages import Conversation
from smallhours.domain.records import Example
from smallhours.domain.risk import Action, Decision, RiskLevel
from smallhours.domain.settings import CorpusSettings
from smallhours.semantics.vectors import SentenceVectors

MakePair = Callable[..., Example]

LEVELS = {"done with living": RiskLevel.HIGH, "scared": RiskLevel.LOW}


def screen(conversation: Conversation) -> Decision:
    """As worried as the worst phrase in what was said last."""
    said = conversation.last_user_text
    level = max((level for phrase, level in LEVELS.items() if phrase in said), default=RiskLevel.NONE)
    return Decision(level=level, action=Action.ANSWER, score=0.0, language="en", policy="test")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(CorpusSettings(), SentenceVectors(), screen)


QUESTION = "my heart is racing for no reason and i cant sleep, how do i calm down"
ANSWER = (
    "A racing heart at night is frightening. Breathe out slowly, longer than you breathe in, for two "
    "minutes. If it keeps coming back, a doctor can look for the cause."
)
# A rewording of QUESTION, and what speaks against it.
VERDICTS = [
    ("there is no reason for it but my heart is racing and i cant sleep. how can i calm down", None),
    ("i cant sleep, my heart races for no reason. what helps me calm down", None),
    ("my heart is racing for no reason and i can sleep, how do i calm down", Objection.LOCKED),
    ("my heart is racing for no reason and i cant sleep 3 nights, how do i calm down", Objection.LOCKED),
    ("my chest is racing for no reason and i cant sleep, how do i calm down", Objection.LOCKED),
    (f"{QUESTION}. {'it goes on and on like this. ' * 4}", Objection.LONG),
    ("mein herz rast ohne grund und ich kann nicht schlafen, wie beruhige ich mich", Objection.LANGUAGE),
    ("mi corazón va muy rápido y no puedo dormir, cómo me calmo", Objection.LANGUAGE),
    ("no reason but my heart is racing, i cant sleep. you should breathe slowly", Objection.ADVICE),
    ("my heart is racing, i cant sleep, no reason. try to breathe out slowly", Objection.ADVICE),
    ("I'm sorry to hear that your heart is racing and you cant sleep for no reason", Objection.ADVICE),
    ("my heart is racing, no reason, i cant sleep. breathe out slowly and longer than in", Objection.ADVICE),
    ("for no reason my heart belongs to a football club and i cant watch", Objection.FAR),
    ("scared, my heart is racing for no reason and i cant sleep, how do i calm down", Objection.RISK),
]


@pytest.mark.parametrize(("text", "objection"), VERDICTS, ids=[text[:40] for text, _ in VERDICTS])
def test_what_speaks_against_a_rewording(
    judge: Judge, make_pair: MakePair, text: str, objection: Objection | None
) -> None:
    assert judge.case(make_pair("x", QUESTION, ANSWER)).objection(text) == objection


def test_a_long_message_with_one_other_word_is_too_near(judge: Judge, make_pair: MakePair) -> None:
    long = (
        "my english is not so good sorry. tomorrow i have interview and i fear they laugh about my accent. "
    )
    case = judge.case(make_pair("x", f"{long}what can i do", ANSWER))
    assert case.objection(f"{long}what could i do") is Objection.NEAR


def test_a_rewording_as_alarming_as_its_question_is_no_worse(judge: Judge, make_pair: MakePair) -> None:
    case = judge.case(make_pair("x", "im scared of the dark, how do i sleep alone", ANSWER))
    assert case.objection("how can i sleep alone when im scared of the dark") is None


def test_risk_is_judged_in_the_light_of_what_was_said_before(judge: Judge, make_pair: MakePair) -> None:
    seen: list[Conversation] = []

    def watching(conversation: Conversation) -> Decision:
        seen.append(conversation)
        return screen(conversation)

    first, last = make_pair("x", "hello", "Hello."), make_pair("y", "how do i fall asleep", ANSWER)
    talk = first.model_copy(update={"messages": (*first.messages, *last.messages)})
    case = Judge(CorpusSettings(), judge.vectors, watching).case(talk)
    assert case.objection("what helps me fall asleep") is None
    assert {conversation.messages[:2] for conversation in seen} == {first.messages}
    assert {conversation.last_user_text for conversation in seen} == {
        "how do i fall asleep",
        "what helps me fall asleep",
    }


def test_a_crisis_is_known_and_so_is_one_that_somebody_read_and_found_none(
    judge: Judge, make_pair: MakePair
) -> None:
    assert judge.case(make_pair("x", "done with living", ANSWER)).is_crisis
    assert not judge.case(make_pair("x", QUESTION, ANSWER)).is_crisis
    ordinary = sorted(read_as_ordinary())[0]
    worst = screen(Conversation.of("done with living"))
    alarmed = Judge(CorpusSettings(), judge.vectors, lambda _: worst)
    assert not alarmed.case(make_pair("x", ordinary, ANSWER)).is_crisis


@pytest.mark.parametrize("locale", ["hi-IN", "ar", "ja", "id"])
def test_languages_that_cannot_be_judged_are_not_reworded(
    judge: Judge, make_pair: MakePair, locale: str
) -> None:
    case = judge.case(make_pair("x", QUESTION, ANSWER, locale=locale))
    assert not case.speaks_a_judged_language
    assert case.objection(VERDICTS[0][0]) is Objection.LANGUAGE


# Other languages: the language, a question, and what speaks against rewordings of it.
ELSEWHERE = [
    (
        "de",
        "ich kann seit 3 wochen nicht schlafen, was kann ich tun",
        {
            "seit 3 wochen kann ich nicht schlafen. was hilft mir": None,
            "ich kann seit 3 wochen schlafen, was kann ich tun": Objection.LOCKED,
            "ich kann seit 4 wochen nicht schlafen, was kann ich tun": Objection.LOCKED,
            "no puedo dormir desde hace 3 semanas, qué hago": Objection.LANGUAGE,
        },
    ),
    (
        "es",
        "tengo ansiedad y no puedo dormir desde hace dos semanas, qué hago",
        {
            "desde hace dos semanas no puedo dormir y tengo ansiedad, qué puedo hacer": None,
            "tengo ansiedad y puedo dormir desde hace dos semanas, qué hago": Objection.LOCKED,
            "tengo ansiedad y no puedo dormir desde hace tres semanas, qué hago": Objection.LOCKED,
        },
    ),
    (
        "fr",
        "je n'arrive pas à dormir, j'ai trop d'angoisse, que faire",
        {
            "j'ai trop d'angoisse et je n'arrive pas à dormir, que puis-je faire": None,
            "j'arrive à dormir, j'ai trop d'angoisse, que faire": Objection.LOCKED,
            "je n'arrive pas à dormir, j'ai trop de travail, que faire": Objection.LOCKED,
        },
    ),
    (
        "pt",
        "não consigo dormir e não falo com o médico, o que eu faço",
        {
            "o que eu faço se nao consigo dormir e nao falo com o medico": None,
            "não consigo dormir e falo com o médico, o que eu faço": Objection.LOCKED,
        },
    ),
]


@pytest.mark.parametrize(("language", "question", "verdicts"), ELSEWHERE, ids=[e[0] for e in ELSEWHERE])
def test_the_locks_know_other_languages(
    judge: Judge,
    make_pair: MakePair,
    language: str,
    question: str,
    verdicts: dict[str, Objection | None],
) -> None:
    case = judge.case(make_pair("x", question, "Gut. Bien.", locale=language))
    assert {text: case.objection(text) for text in verdicts} == verdicts


def test_an_impossible_band_is_said_at_once(judge: Judge) -> None:
    with pytest.raises(SettingsError, match=r"low = 0\.9 is above corpus\.rewording_similarity_high = 0\.8"):
        Judge(CorpusSettings(rewording_similarity_low=0.9, rewording_similarity_high=0.8), judge.vectors)


def test_the_band_holds_rewordings_by_rule_and_no_other_question(
    judge: Judge, builtin: list[Example]
) -> None:
    """What docs/log.md says of the default bounds, on a part of the built-in pairs."""
    some = builtin[::4]
    worded = [(n, c.text) for n, e in enumerate(some) for c in list(candidates(e.question))[:4]]
    questions = judge.vectors.encode([e.question for e in some])
    found = judge.vectors.encode([text for _, text in worded])
    alike = [float(questions[n] @ vector) for (n, _), vector in zip(worded, found, strict=True)]
    assert sum(judge.low <= one <= judge.high for one in alike) >= 0.9 * len(alike)
    assert max(float(v @ w) for n, v in enumerate(questions) for w in questions[:n]) < judge.low
