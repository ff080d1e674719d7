"""What columns are called, in the languages and conventions we meet, and what they mean."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence

from smallhours.corpus.text import cut

# The two words as people write them above their columns, in languages we meet.
_WORDS: dict[str, tuple[str, ...]] = {
    "question": (
        "pregunta", "preguntas", "frage", "fragen", "pergunta", "perguntas", "domanda", "domande", "demande",
        "vraag", "fråga", "spørsmål", "spørgsmål", "kysymys", "pytanie", "otázka", "вопрос", "питання",
        "ερώτηση", "soru", "السؤال", "سؤال", "प्रश्न", "सवाल", "问题", "問題", "質問", "질문", "câu hỏi",
        "pertanyaan",
    ),
    "answer": (
        "respuesta", "respuestas", "antwort", "antworten", "resposta", "respostas", "risposta", "risposte",
        "réponse", "réponses", "reponse", "antwoord", "svar", "vastaus", "odpowiedź", "odpověď", "ответ",
        "відповідь", "απάντηση", "cevap", "yanıt", "الجواب", "جواب", "الإجابة", "उत्तर", "जवाब", "答案",
        "回答", "答え", "답변", "câu trả lời", "jawaban",
    ),
}  # fmt: skip
NAMES: dict[str, tuple[str, ...]] = {
    "question": (
        "question", "questions", "q", "prompt", "input", "instruction", "query", "user", "human", "client",
        "person", "patient", "context", "message", "post", "ask", "asked", "request", "utterance",
        "user message", "user input", "question text", "input text", "question body", "question title",
        "source text", "prompt text", "patterns", *_WORDS["question"],
    ),
    "answer": (
        "answer", "answers", "a", "completion", "output", "response", "responses", "reply", "replies",
        "assistant", "bot", "chatbot", "therapist", "counselor", "counsellor", "psychologist", "model", "gpt",
        "target", "answer text", "response text", "output text", "target text", "bot response",
        "assistant message", "accepted answer", "chosen", *_WORDS["answer"],
    ),
    "id": ("id", "pair id", "row id", "uid", "uuid"),
    "topic": (
        "topic", "category", "label", "theme", "tag", "subject", "intent", "tema", "thema", "thème",
        "categoría", "catégorie", "kategorie", "тема",
    ),
    "locale": ("locale", "language", "lang", "idioma", "sprache", "langue"),
    "source": ("source",),
    "author": ("author", "author kind"),
    "licence": ("licence", "license"),
    "group": ("group",),
}  # fmt: skip
NEEDED = ("question", "answer")

# "Therapist response", "Antwort (Berater)", "pregunta del usuario": taken where there is nothing plainer and
# nothing else is spoken of like it.
_SPOKEN = {
    "question": {"question", "questions", "query", "prompt", *_WORDS["question"]},
    "answer": {
        "answer", "answers", "response", "responses", "reply", "replies", "completion", *_WORDS["answer"]
    },
}  # fmt: skip
_OF = {
    "de",
    "del",
    "du",
    "des",
    "da",
    "do",
    "dos",
    "der",
    "von",
    "vom",
    "van",
    "di",
    "della",
    "av",
    "af",
    "od",
}
_REMARK = re.compile(r"[(\[,:].*", re.DOTALL)

_LONGEST_NAME = 8  # words; a longer one is hardly the name of a column
_LONGEST_READ = 200  # characters; the rest of a longer one is not looked at
_SHOWN = 60  # characters of a name
_HUMPS = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[^\w]+|_+")
_DIGITS = re.compile(r"\d+\s*$")


def plain(name: str) -> str:
    """A name without case, punctuation, humps and numbering: ``questionText_1`` -> ``question text``."""
    composed = unicodedata.normalize("NFC", name.strip()[:_LONGEST_READ])
    words = _SEPARATORS.sub(" ", _HUMPS.sub(" ", composed)).casefold().split()
    return " ".join(word for word in words if not word.isdigit())


# Some scripts fall apart when they are made plain; the same way each time.
_PLAIN = {column: tuple(map(plain, names)) for column, names in NAMES.items()}
_MEANING = {name: column for column, names in _PLAIN.items() for name in names}


def alike(column: str, header: Sequence[str]) -> list[str]:
    """Other columns of the same name: ``answer`` twice, or ``Answer 1`` and ``Answer 2``."""
    return [name for name in header if name != column and plain(name) and plain(name) == plain(column)]


def is_numbered(*names: str) -> bool:
    """Whether all end in a number: then they were meant to stand side by side."""
    return all(_DIGITS.search(name) for name in names)


def meanings(
    header: Sequence[str], given: Mapping[str, str] | None = None
) -> tuple[dict[str, str], list[str]]:
    """The meaning of each column that has one (name -> meaning), and what is wrong with the header.

    ``given`` maps meanings to the owner's own column names and is taken at its word. Of several columns
    that could be the question or the answer, the one with the plainest name is; where two are equally
    plain, that is a fault. A column of another name is left alone, unless it looks like a slip.
    """
    columns: dict[str, str] = {}
    wrong = _given_columns(header, given or {}, columns)
    for meaning in NAMES:
        if meaning in columns.values():
            continue
        ranked = sorted(
            (_PLAIN[meaning].index(plain(name)), position, name)
            for position, name in enumerate(header)
            if name not in columns and _MEANING.get(plain(name)) == meaning
        )
        if len(ranked) > 1 and meaning in NEEDED and _rank_tied(ranked[0][2], ranked[1][2]):
            wrong.append(
                f"columns '{ranked[0][2]}' and '{ranked[1][2]}' both name the {meaning}; rename or remove "
                f"one, or say which with --set corpus.columns='{meaning}={ranked[0][2]}'"
            )
        if ranked:
            columns[ranked[0][2]] = meaning
        elif len(spoken := _spoken_of(meaning, header, columns)) == 1:
            columns[spoken[0]] = meaning
    wrong += _slips(header, columns)
    missing = [needed for needed in NEEDED if needed not in columns.values()]
    if missing:
        wrong.append(_missing(missing, header))
    return columns, wrong


def _missing(missing: Sequence[str], header: Sequence[str]) -> str:
    """One message for all that is missing: two assignments of ``corpus.columns`` would undo each other."""
    listed = ", ".join(f"'{_shortened(name)}'" for name in header if name.strip()) or "none"
    wanted = " and no column ".join(f"'{needed}'" for needed in missing)
    one = "one it is" if len(missing) == 1 else "ones they are"
    told = ",".join(f"{needed}=NAME" for needed in missing)
    text = f"there is no column {wanted}; columns found: {listed}. Say which {one} with "
    text += f"--set corpus.columns='{told}'"
    if any(len(name.split()) > _LONGEST_NAME for name in header):
        text += "; if this row is a pair already, put a row 'question', 'answer' above it"
    return text


def _shortened(name: str) -> str:
    return cut(name, _SHOWN)


def _spoken_of(meaning: str, header: Sequence[str], columns: Mapping[str, str]) -> list[str]:
    known = set(map(plain, _SPOKEN.get(meaning, ())))

    def speaks(name: str) -> bool:
        if len(name) > _LONGEST_READ:
            return False
        words = plain(name).split()
        return (
            plain(name).rpartition(" ")[2] in known
            or plain(_REMARK.sub("", name)) in known
            or (len(words) > 2 and words[0] in known and words[1] in _OF)
        )

    return [name for name in header if name not in columns and plain(name) not in _MEANING and speaks(name)]


def _given_columns(header: Sequence[str], given: Mapping[str, str], columns: dict[str, str]) -> list[str]:
    wrong = []
    for meaning, name in given.items():
        if name in header:
            columns[name] = meaning
        else:
            near = difflib.get_close_matches(name, header, 1, 0.6)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            wrong.append(f"there is no column '{name}' to be the {meaning}{hint}")
    return wrong


def _rank_tied(one: str, other: str) -> bool:
    """Two names of which neither says more than the other: ``question`` and ``prompt`` are, ``question`` and
    ``question title`` are not."""
    return plain(one).split()[0] != plain(other).split()[0]


def _slips(header: Sequence[str], columns: Mapping[str, str]) -> list[str]:
    """Unknown names that are nearly a known one whose meaning is still missing."""
    wrong = []
    for name in header:
        if name in columns or plain(name) in _MEANING or len(name) > _SHOWN:
            continue
        near = difflib.get_close_matches(plain(name), [n for n in _MEANING if len(n) > 2], 1, 0.8)
        if near and _MEANING[near[0]] not in columns.values():
            wrong.append(f"unknown column '{name}'; did you mean '{near[0]}'?")
    return wrong
