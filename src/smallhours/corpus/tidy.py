"""The same message as a careful typist would have typed it: capitals, apostrophes, chat spelling."""

from __future__ import annotations

import re

_NEGATED = "ca wo do does did is are was have has could would should"
_PROPER = """
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February April June July August September
    October November December Christmas English YouTube TikTok ADHD GAD
"""
_CONTRACTIONS = {
    **dict.fromkeys(("im", "i'm"), "I'm"),
    "ive": "I've",
    "youre": "you're",
    "youve": "you've",
    "shes": "she's",
    "hes": "he's",
    "theyre": "they're",
    "thats": "that's",
    "whats": "what's",
    "theres": "there's",
    **{f"{verb}nt": f"{verb}n't" for verb in _NEGATED.split()},
}
_SPELLINGS = {
    "wiht": "with",
    "panick": "panic",
    "apetite": "appetite",
    "nite": "night",
    "cos": "because",
    "tho": "though",
    "ppl": "people",
    "prob": "probably",
    "gonna": "going to",
    "wanna": "want to",
    "gf": "girlfriend",
    "hrs": "hours",
    "hr": "hour",
    "mins": "minutes",
    "yrs": "years",
    "definately": "definitely",
    "tommorow": "tomorrow",
    "alot": "a lot",
    "thx": "thanks",
    "pls": "please",
}
_NAMES = {name.casefold(): name for name in _PROPER.split()}
_WORDS = _CONTRACTIONS | _SPELLINGS | _NAMES | {"i": "I"}
_WORD = re.compile(r"(?<![\w'’])[A-Za-z]+(?:'[a-z]+)?(?![\w'’])")
# "its" and "somethings" are mostly right as they are; before these words they want an apostrophe.
_IS = re.compile(
    r"\b(it|something|someone|everyone|nobody)s (?=(?:a|an|the|not|been|like|actually|really|my|so|just|all|"
    r"going|gonna|about|bad|ok|okay|hard|too|only|\w+ing)\b)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(^|[.?!]\s+)([a-z])")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
_QUESTION = re.compile(
    r"(?:^|(?<=[.?!,\n] ))(?:(?:now )?(?:how|what|why|what'?s)\b"
    r"|(?:when|where|who) (?:is|are|do|does|will|can)\b"
    r"|(?:is|are|am|do|does|should|can|could|would|will) (?:i|you|it|my|people|there)\b"
    r"|any (?:tips|advice|ideas)\b)",
    re.IGNORECASE,
)


def first_question(text: str) -> int | None:
    """Where the first sentence begins that asks something, mark or no mark; None where none does."""
    found = _QUESTION.search(text)
    if found:
        return found.start()
    mark = text.find("?")
    return None if mark < 0 else max(text.rfind(stop, 0, mark) for stop in ".!?\n") + 1


def tidy(text: str) -> str:
    """Capitals, apostrophes and spelling put right; no word is added, dropped or moved."""
    text = _IS.sub(lambda match: f"{match[1]}'s ", text)
    text = _WORD.sub(lambda match: _WORDS.get(match[0], match[0]), text)
    text = _SENTENCE.sub(lambda match: match[1] + match[2].upper(), text)
    if text.endswith((".", "?", "!")):
        return text
    last = _SENTENCE_END.split(text)[-1]
    return f"{text}?" if first_question(last) == 0 else f"{text}."
