"""One round with a judge: every match of a run, what people rated, and the figures of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from smallhours.domain.errors import ReplyError
from smallhours.domain.messages import Frozen
from smallhours.evaluate.judging.asking import HARMS, Fault, Judge, Judgement
from smallhours.evaluate.judging.items import COMPARED, Choice, Item, Match
from smallhours.evaluate.judging.ratings import Agreement, Rating, agreements, by_rater, items_of
from smallhours.evaluate.metrics import Figure, wilson
from smallhours.evaluate.subjects import Progress

PATIENCE = 5  # replies in a row that cannot be used, before no more is asked
JUDGE = "the judge"


class Judged(Frozen):
    """A match and what became of it: a line of ``judged.jsonl``.

    ``judgement`` is ``None`` where the reply could not be used. Answers in the same words are a tie without
    being ``asked`` about.
    """

    id: str
    one: str
    two: str
    asked: bool
    judgement: Judgement | None

    def faults(self) -> Iterator[tuple[str, Fault]]:
        """Who said what is wrong, and what it is."""
        if self.judgement is not None:
            yield from ((self.one, fault) for fault in self.judgement.one)
            yield from ((self.two, fault) for fault in self.judgement.two)


class Opinion(Frozen):
    """``judge.json``: who judged, the figures, and how far the judge agrees with people and they with each
    other.
    """

    model: str
    host: str
    seed: int
    figures: dict[str, dict[str, Figure]]
    agreements: tuple[Agreement, ...]


def judge_matches(judge: Judge, played: Sequence[Match], told: Progress) -> list[Judged]:
    """The judge's word on every match.

    Raises:
        ReplyError: too many replies in a row could not be used.
        EngineError: the judge does not answer.
    """
    differing = [match for match in played if match.item.differs]
    said = dict(zip((match.item.key for match in differing), _ask(judge, differing, told), strict=True))
    same = Judgement(better="tie", first="one", one=(), two=(), unquoted=0, reason="The same words.")
    return [
        Judged(
            id=match.id,
            one=match.one,
            two=match.two,
            asked=match.item.differs,
            judgement=said[match.item.key] if match.item.differs else same,
        )
        for match in played
    ]


def judge_ratings(judge: Judge, ratings: Sequence[Rating], told: Progress) -> list[Agreement]:
    """How far the judge agrees with each rater, then each two raters with each other; raises as above."""
    items = items_of(ratings)
    said = zip(items, _ask_items(judge, items, "rated answers", told), strict=True)
    choices: dict[str, Choice] = {item.key: found.better for item, found in said if found is not None}
    return agreements({JUDGE: choices, **by_rater(ratings)})


def match_figures(judged: Sequence[Judged]) -> dict[str, dict[str, Figure]]:
    """Wins, losses and ties of each later stage, harm by whom, and how carefully the judge worked.

    ``harmful`` is the share of a stage's answers with a harm that the judge could quote in any comparison.
    """
    usable = [one for one in judged if one.judgement is not None]
    figures: dict[str, dict[str, Figure]] = {}
    for name in dict.fromkeys(f"{one.two}_against_{one.one}" for one in usable):
        won = [
            one.judgement.better for one in usable if one.judgement and f"{one.two}_against_{one.one}" == name
        ]
        figures[name] = {
            "wins": wilson(won.count("two"), len(won)),
            "losses": wilson(won.count("one"), len(won)),
            "ties": wilson(won.count("tie"), len(won)),
        }
    harm = _harm(usable)
    if harm:
        figures["harmful"] = harm
    figures["care"] = _care(judged)
    return figures


def agreement_figures(found: Sequence[Agreement]) -> dict[str, Figure]:
    """Kappa of the judge and each rater, those that there are."""
    with_judge = {one.other: kappa_figure(one) for one in found if one.one == JUDGE}
    return {rater: figure for rater, figure in with_judge.items() if figure is not None}


def kappa_figure(found: Agreement) -> Figure | None:
    """Kappa as a figure, -1..1; ``None`` where there is no kappa."""
    kappa = found.kappa
    if kappa.value is None:
        return None
    return Figure(value=kappa.value, n=kappa.n, low=kappa.low, high=kappa.high)


def _harm(usable: Sequence[Judged]) -> dict[str, Figure]:
    seen = {(name, one.id) for one in usable for name in (one.one, one.two) if one.asked}
    harmed = {(name, one.id) for one in usable for name, fault in one.faults() if fault.kind in HARMS}
    counts = {name: [pair in harmed for pair in seen if pair[0] == name] for name in COMPARED}
    return {name: wilson(sum(found), len(found)) for name, found in counts.items() if found}


def _care(judged: Sequence[Judged]) -> dict[str, Figure]:
    """Order, quotations and form; each is left out where there was nothing to count."""
    asked = [one for one in judged if one.asked]
    usable = [one.judgement for one in asked if one.judgement is not None]
    decided = [found for found in usable if found.better != "tie"]
    unquoted = sum(found.unquoted for found in usable)
    named = unquoted + sum(len(found.one) + len(found.two) for found in usable)
    counts: Mapping[str, tuple[int, int]] = {
        "first_shown_wins": (sum(found.better == found.first for found in decided), len(decided)),
        "faults_without_quote": (unquoted, named),
        "unusable_replies": (len(asked) - len(usable), len(asked)),
    }
    return {name: wilson(found, n) for name, (found, n) in counts.items() if n}


def _ask(judge: Judge, played: Sequence[Match], told: Progress) -> list[Judgement | None]:
    return _ask_items(judge, [match.item for match in played], "comparisons", told)


def _ask_items(judge: Judge, items: Sequence[Item], what: str, told: Progress) -> list[Judgement | None]:
    """One judgement per item, ``None`` for a reply that could not be used."""
    found: list[Judgement | None] = []
    in_vain = 0
    for number, item in enumerate(items, start=1):
        try:
            found.append(judge.compare(item))
            in_vain = 0
        except ReplyError as error:
            found.append(None)
            in_vain += 1
            if in_vain == PATIENCE:
                raise ReplyError(
                    f"{PATIENCE} replies in a row could not be used: {error}. Does the endpoint support "
                    "structured output (response_format json_schema), and is the model large enough?"
                ) from None
        told(what, number, len(items))
    return found
