"""What no rewording may touch: negations, numbers and clinical words.

A question that loses its "not", its "6 days" or its "sertraline" is another question, and the
vetted answer no longer fits it. The lists are English and meant to be too long rather than too short.
"""

from __future__ import annotations

import re
from collections import Counter

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?")
_CONTRACTED = re.compile(
    r"(?:ca|wo|do|does|did|is|are|was|were|have|has|had|could|would|should|must|might|need|ai)n'?t"
)


def _words(listed: str) -> tuple[str, ...]:
    return tuple(listed.split())


_NEGATIONS = _words(
    "no not never none nothing nobody noone nowhere neither nor nope without hardly barely cannot idk dunno"
)
_NUMBERS = _words(
    """
    one two three four five six seven eight nine ten eleven twelve dozen twenty thirty forty fifty sixty
    seventy eighty ninety hundred thousand million once twice half
    """
)
# Stems: a word counts if it begins with one.
_STEMS = _words(
    """
    abus addict adhd alcohol anorexi antidepress anxi asthma attack autis biops bipolar bleed bulimi cancer
    chest citalopram clinic cutting dementia depress diabet diagnos disorder doctor dosage dose drank drink
    drug drunk dying escitalopram faint fluoxetin gad grief harm heart hospital hurt ibuprofen illness
    insomnia kill lithium medic mental mg mirtazap narciss nightmare nurse ocd overdos pain panic
    paracetamol pill pregnan prozac psych ptsd quetiapin schizo seizure sertralin sick sleeping stroke
    suicid surgery symptom tablet therap trauma venlafaxin vomit wine xanax zoloft
    """
)
_CLINICAL = re.compile("|".join(_STEMS))


def locked(text: str) -> Counter[str]:
    """The negations, numbers and clinical words of a text, each in one form, and how often.

    "cant", "can't" and "cannot" are all one negation; clinical words count by their stem.
    """
    found: Counter[str] = Counter()
    for token in _TOKEN.findall(text.replace("’", "'").casefold()):
        if token in _NEGATIONS or _CONTRACTED.fullmatch(token):
            found["not"] += 1
        elif token[0].isdigit() or token in _NUMBERS:
            found[token] += 1
        elif stem := _CLINICAL.match(token):
            found[stem[0]] += 1
    return found
