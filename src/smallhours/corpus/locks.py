"""What no rewording may touch: negations, numbers and clinical words.

A question that loses its "not", its "6 days" or its "sertraline" is another question, and the
vetted answer no longer fits it. The lists are meant to be too long rather than too short. There are
some for English, German, Spanish, French and Portuguese; in another language nothing is reworded.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?")
_CONTRACTED = re.compile(
    r"(?:ca|wo|do|does|did|is|are|was|were|have|has|had|could|would|should|must|might|need|ai)n'?t"
)


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# All without accents, as texts are compared.
_NEGATIONS = {
    "en": _words(
        "no not never none nothing nobody noone nowhere neither nor nope without hardly barely cannot idk "
        "dunno"
    ),
    "de": _words(
        "nicht net ned nich nix nein nichts nie niemals niemand niemanden niemandem nirgends nirgendwo kein "
        "keine keinen keinem keiner keines ohne weder kaum"
    ),
    "es": _words("no nunca jamas nada nadie ningun ninguno ninguna sin tampoco ni apenas"),
    "fr": _words("non pas jamais rien personne aucun aucune sans ni guere"),
    "pt": _words("nao n nunca jamais nada ninguem nenhum nenhuma sem nem tampouco"),
}
_NUMBERS = {
    "en": _words(
        """
        one two three four five six seven eight nine ten eleven twelve dozen twenty thirty forty fifty sixty
        seventy eighty ninety hundred thousand million once twice half
        """
    ),
    "de": _words(
        """
        zwei drei vier funf sechs sieben acht neun zehn elf zwolf dutzend million einmal zweimal dreimal halb
        halbe halben doppelt
        """
    ),
    "es": _words(
        """
        dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete
        dieciocho diecinueve veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien ciento
        docena mil millon medio media doble
        """
    ),
    "fr": _words(
        """
        deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente
        quarante cinquante soixante cent cents mille million demi demie moitie double dizaine douzaine
        """
    ),
    "pt": _words(
        """
        dois duas tres quatro cinco seis sete oito nove dez onze doze treze catorze quatorze quinze dezesseis
        dezasseis dezessete dezassete dezoito dezenove dezanove vinte trinta quarenta cinquenta sessenta
        setenta oitenta noventa cem cento duzia mil milhao meio meia dobro
        """
    ),
}
# German writes a number as one word: "dreiundzwanzig", "fünfzehn".
_COMPOUND = {"de": re.compile(r"\w+(?:zehn|zig|ssig|hundert|tausend)"), "es": re.compile(r"veinti\w+")}
# Stems: a word counts if it begins with one. Those in the first list count in every language.
_STEMS = """
    abus addict adhd alcohol anorexi antidepress anxi asthma attack autis biops bipolar bleed bulimi cancer
    chest citalopram clinic cutting dementia depress diabet diagnos disorder doctor dosage dose drank drink
    drug drunk dying escitalopram faint fluoxetin gad grief harm heart hospital hurt ibuprofen illness
    insomnia kill lithium medic mental mg mirtazap narciss nightmare nurse ocd overdos pain panic
    paracetamol pill pregnan prozac psych ptsd quetiapin schizo seizure sertralin sick sleeping stroke
    suicid surgery symptom tablet therap trauma venlafaxin vomit wine xanax zoloft
"""
_MORE_STEMS = {
    "en": "",
    "de": """
        abhangig albtraum albtraeum alkohol alptraum angst apothek arzt bier blut brust dosis droge entzug
        erbrech herz klinik krampf krank krebs medikament notarzt notfall ohnmacht panik praxis rezept ritz
        schlaganfall schmerz schwanger selbstmord spritz sterb storung sucht suizid symptom tod tot trauer
        trink verletz wein zwang
    """,
    "es": """
        adicc ansi beb borrach cancer cerveza clinic corazon cort derrame desmay dolor dosis droga duel
        embaraz emergenc enferm hospital ictus insomn lesion mat mori muert panic pastill pecho pesadill psic
        psiq receta sangr sintom sobredosis suicid tda terap toc trastorn urgenc vino vomit
    """,
    "fr": """
        alcool angoiss avc bier bless boi bu cachet cancer cauchemar clinique coeur comprime deces deuil
        douleur drogue enceinte evanoui hopital insomn ivre malad medec mort mour ordonnance panique pilule
        poitrine psy saign sang suicid surdos tdah therap toc trouble tue urgence vin vomi
    """,
    "pt": """
        alcool ansi avc beb cancer cerveja clinic comprimid corac corta depend desmai doen dor droga ecg
        emergenc enjoo ferid gravid hospital infart insoni luto machuc mat med morr mort panic peito perturbac
        pesadel psic psiq receit sangr sintom suicid tdah terap toc transtorn urgenc vici vinho vomit
    """,
}
LANGUAGES = frozenset(_NEGATIONS)
_CLINICAL = {
    language: re.compile(
        "|".join(sorted({*_STEMS.split(), *more.split()}, key=lambda stem: (-len(stem), stem)))
    )
    for language, more in _MORE_STEMS.items()
}


def locked(text: str, language: str = "en") -> Counter[str]:
    """The negations, numbers and clinical words of a text, each in one form, and how often.

    "cant", "can't" and "cannot" are all one negation; clinical words count by their stem. ``language`` is one
    of ``LANGUAGES``.
    """
    plain = _plain(text)
    if language != "en":
        plain = plain.replace("'", " ")  # "d'alcool"
    compound = _COMPOUND.get(language)
    found: Counter[str] = Counter()
    for token in _TOKEN.findall(plain):
        if token in _NEGATIONS[language] or (language == "en" and _CONTRACTED.fullmatch(token)):
            found["not"] += 1
        elif token[0].isdigit() or token in _NUMBERS[language] or (compound and compound.fullmatch(token)):
            found[token] += 1
        elif stem := _CLINICAL[language].match(token):
            found[stem[0]] += 1
    return found


def _plain(text: str) -> str:
    """Small letters without accents: people leave them out, and that changes nothing here."""
    parted = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    return "".join(letter for letter in parted if not unicodedata.combining(letter))
