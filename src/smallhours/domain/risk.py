"""How worried to be about a message, and what follows from it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field

from smallhours.domain.messages import Frozen

STALE_DAYS = 180  # a number that was last checked longer ago may have changed


class RiskLevel(StrEnum):
    """From ``none`` to ``imminent``; ordered, so that ``max`` is the worse one."""

    NONE = "none"
    LOW = "low"
    ELEVATED = "elevated"
    HIGH = "high"
    IMMINENT = "imminent"

    @property
    def rank(self) -> int:
        """0 for ``none`` up to 4 for ``imminent``."""
        return list(RiskLevel).index(self)

    @property
    def is_crisis(self) -> bool:
        """``elevated`` and above get a fixed reply and no model."""
        return self.rank >= RiskLevel.ELEVATED.rank

    # A string brings its own four comparisons, by letters; all of them have to go by rank.
    def __lt__(self, other: str) -> bool:
        return self.rank < RiskLevel(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= RiskLevel(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > RiskLevel(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= RiskLevel(other).rank


class RiskCategory(StrEnum):
    """What a finding is about."""

    SUICIDE = "suicide"
    SELF_HARM = "self_harm"
    HARM_TO_OTHERS = "harm_to_others"
    ABUSE = "abuse"
    PSYCHOSIS = "psychosis"
    EATING_DISORDER = "eating_disorder"
    SUBSTANCE_EMERGENCY = "substance_emergency"
    MEDICAL_EMERGENCY = "medical_emergency"
    CHILD_SAFETY = "child_safety"


class Action(StrEnum):
    """What the person gets."""

    ANSWER = "answer"
    ANSWER_WITH_RESOURCES = "answer_with_resources"
    CRISIS_REPLY = "crisis_reply"


class Finding(Frozen):
    """One thing a detector saw.

    ``span`` is ``[start, end)`` in characters of the *original* text of the message numbered
    ``message`` among the person's messages. ``category`` is empty for findings in our own replies
    (a diagnosis, a dose), where ``rule`` says what was broken. ``score`` is the margin of a learned
    detector, which speaks of every message, also of one in which it finds nothing.
    """

    detector: str
    rule: str
    category: RiskCategory | None = None
    level: RiskLevel = RiskLevel.NONE
    span: tuple[int, int] = (0, 0)
    message: int = 0
    excepted: str | None = None
    score: float | None = None


class Decision(Frozen):
    """What the policy made of all findings; the same shape on every surface."""

    level: RiskLevel
    categories: tuple[RiskCategory, ...] = ()
    action: Action
    score: float = Field(ge=0.0, le=1.0)
    language: str
    findings: tuple[Finding, ...] = ()
    policy: str


class Chat(Frozen):
    """Where people of a service answer in writing, on the web.

    ``source`` is the page where the address was read, ``checked`` the day. ``host`` names the host of ``url``
    where it is not the service's own, so that nobody puts a stranger's in by mistake.
    """

    url: str
    source: str
    checked: str
    host: str | None = None


class Resource(Frozen):
    """A service that helps, as people reach it: ``tel`` and ``sms`` are dialled as they stand.

    ``source`` is the page where the number was read, ``checked`` the day, ``verified`` what kind of page that
    is, and ``agree`` on how many further independent pages the same number was read.
    """

    name: str
    for_: str = Field(alias="for")
    tel: str | None = None
    sms: str | None = None
    sms_text: str | None = None
    url: str | None = None
    chat: Chat | None = None
    hours: str = ""
    languages: tuple[str, ...] = ()
    source: str
    checked: str
    kind: str = "crisis"
    verified: str = ""
    cost: str = ""
    agree: int = Field(0, ge=0)

    model_config = Frozen.model_config | {"populate_by_name": True}

    def overdue(self, today: date) -> bool:
        """Whether its number or its chat was last checked more than :data:`STALE_DAYS` ago."""
        return (today - date.fromisoformat(self.oldest_check)).days > STALE_DAYS

    @property
    def oldest_check(self) -> str:
        """The day of the older of its checks."""
        return min(self.checked, self.chat.checked) if self.chat else self.checked

    @property
    def chat_url(self) -> str | None:
        """Where to write to people of the service on the web."""
        return self.chat.url if self.chat else None


class FixedReply(Frozen):
    """A reply that no model wrote: text, what to show beside it, and the one question asked."""

    text: str
    locale: str
    country: str | None
    resources: tuple[Resource, ...]
    disclaimer: str


class OutputVerdict(Frozen):
    """Whether a reply may be sent, and if not, why."""

    allowed: bool
    findings: tuple[Finding, ...] = ()
