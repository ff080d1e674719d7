"""The safety path: screen what comes in, what goes out, and what goes out while it is being written.

An error in any guard escalates; it never allows. Nothing here logs or stores text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import islice

from smallhours.domain.messages import Conversation
from smallhours.domain.risk import Decision, Finding, OutputVerdict, RiskLevel
from smallhours.safety import classifier, evidence, policy, reader
from smallhours.safety import conversation as turns
from smallhours.safety.detectors import contact, crisis, harm, reply, scope
from smallhours.safety.language import guess_language

Detector = Callable[[str], Sequence[Finding]]
_Detect = Callable[[str], tuple[Finding, ...]]  # all detectors, joined
# The same for many texts at once: what is found in each, in their order.
BulkDetector = Callable[[Sequence[str]], Sequence[Sequence[Finding]]]

INPUT_DETECTORS: Mapping[str, Detector] = {
    "crisis": crisis.detect,
    "harm": harm.detect,
    "scope": scope.detect,
    evidence.HEAD: classifier.detect,
    evidence.READER: reader.detect,
}
# Detectors that have less to do for many texts together, and what then stands for them.
BULK_DETECTORS: Mapping[Detector, BulkDetector] = {
    classifier.detect: classifier.detect_many,
    reader.detect: reader.detect_many,
}
WIDE_REPLY = "wide_reply"
OUTPUT_DETECTORS: Mapping[str, Detector] = {
    "reply": reply.detect,
    WIDE_REPLY: reply.detect_wide,
    "contact": contact.detect,
    evidence.READER: reader.read_reply,
}

_Ahead = dict[tuple[str, str], Sequence[Finding]]  # by detector and text

_REMEMBERED = 256
_TOGETHER = 256  # conversations screened at a time
_LONG = 4000  # characters; longer messages are not remembered
_SENTENCE_END = re.compile(r"[.!?…](?=[\"')\]]{0,2}\s)[\"')\]]{0,2}|[。！？।]|\n")
_LOOKBACK = 4000  # characters of the reply so far that are screened again with each sentence


def _guard_error(level: RiskLevel) -> Finding:
    return Finding(detector="pipeline", rule="guard_error", level=level)


def _each(detectors: Mapping[str, Detector], text: str, on_error: RiskLevel) -> tuple[Finding, ...]:
    """What each detector finds; one that breaks leaves a finding and does not stop the others."""
    found: list[Finding] = []
    for detector in detectors.values():
        try:
            found.extend(detector(text))
        except Exception:  # noqa: BLE001 - whatever breaks, it must escalate
            found.append(_guard_error(on_error))
    return tuple(found)


class SafetyPipeline:
    """The guards, composed. Safe to share between threads."""

    def __init__(
        self,
        input_detectors: Mapping[str, Detector] = INPUT_DETECTORS,
        output_detectors: Mapping[str, Detector] = OUTPUT_DETECTORS,
        bulk_detectors: Mapping[Detector, BulkDetector] = BULK_DETECTORS,
    ) -> None:
        """``bulk_detectors`` find in many texts what a detector of the input finds in each."""
        self._input = dict(input_detectors)
        self._bulk = {n: bulk_detectors[d] for n, d in self._input.items() if d in bulk_detectors}
        self._output = dict(output_detectors)
        # Earlier messages of a conversation come back with every turn.
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._detect)

    def _detect(self, text: str, ahead: _Ahead | None = None) -> tuple[Finding, ...]:
        """What is found in a text; ``ahead`` is what some detectors have found in it already."""
        found: list[Finding] = []
        for name, detector in self._input.items():
            known = ahead.get((name, text)) if ahead else None
            found.extend(detector(text) if known is None else known)
        return policy.joined(evidence.weighed(found, text))

    def _screen(self, text: str, detect: _Detect | None = None) -> tuple[Finding, ...]:
        try:
            return (detect or (self._remembered if len(text) <= _LONG else self._detect))(text)
        except Exception:  # noqa: BLE001 - as above
            return _each(self._input, text, RiskLevel.ELEVATED)

    def screen_input(self, conversation: Conversation, earlier: Sequence[Finding] = ()) -> Decision:
        """How worried to be about the conversation as it stands; never an error.

        ``earlier`` is what was found in turns that are no longer sent (:func:`conversation.assess`).
        """
        return self._decide(conversation, self._screen, earlier)

    def screen_many(self, conversations: Iterable[Conversation]) -> Iterator[Decision]:
        """What ``screen_input`` says of each, in order and in less time; never an error.

        It reads ``_TOGETHER`` conversations ahead and holds no more of them.
        """
        rest = iter(conversations)
        while chunk := list(islice(rest, _TOGETHER)):
            texts = list(dict.fromkeys(t for c in chunk for t in c.user_texts if len(t) <= _LONG))
            ahead = self._look_ahead(texts)
            # Within a conversation, and from one to the next, messages come back.
            detect = lru_cache(maxsize=_TOGETHER)(partial(self._detect, ahead=ahead))
            screen = partial(self._screen, detect=detect)
            for conversation in chunk:
                yield self._decide(conversation, screen)

    def _look_ahead(self, texts: Sequence[str]) -> _Ahead:
        """What the bulk detectors find; of one that breaks nothing, so that its texts go one by one."""
        ahead: _Ahead = {}
        for name, many in self._bulk.items():
            # Where it breaks, its detector meets each text by itself, and escalates where that breaks.
            with suppress(Exception):
                found = zip(texts, many(texts), strict=True)
                ahead |= {(name, text): findings for text, findings in found}
        return ahead

    def _decide(
        self, conversation: Conversation, screen: turns.Screen, earlier: Sequence[Finding] = ()
    ) -> Decision:
        try:
            findings = turns.assess(conversation, screen, earlier)
            return policy.decide(findings, guess_language(conversation.last_user_text))
        except Exception:  # noqa: BLE001 - as above
            return policy.decide([_guard_error(RiskLevel.ELEVATED)], "und")

    def screen_output(
        self, reply_text: str, conversation: Conversation, *, by_people: bool = False
    ) -> OutputVerdict:
        """Whether a reply may be sent as it is; never an error.

        ``conversation`` is what the reply answers; today's guards look at the reply alone. What was written
        ``by_people`` to be said (vetted answers, fixed words) is judged by what seldom errs: not by what
        learned from examples, nor by the wide families of wordings.
        """
        spared = {*evidence.LEARNED, WIDE_REPLY} if by_people else frozenset[str]()
        guards = {name: detect for name, detect in self._output.items() if name not in spared}
        found = _each(guards, reply_text, RiskLevel.HIGH)
        with suppress(Exception):  # unweighed, everything that was found forbids the reply
            found = evidence.weighed_reply(found)
        return OutputVerdict(allowed=all(f.excepted for f in found), findings=found)

    def screen_stream(
        self, chunks: Iterable[str], conversation: Conversation
    ) -> Generator[str, None, OutputVerdict]:
        """Whole sentences of a reply while it is written, each only after it passed.

        Stops at the first sentence that may not be sent. The generator's return value is the verdict
        on the reply as far as it was read (``verdict = yield from ...``).
        """
        sent, waiting = "", ""
        for chunk in chunks:
            waiting += chunk
            end = max((m.end() for m in _SENTENCE_END.finditer(waiting)), default=0)
            if not end:
                continue
            verdict = self.screen_output((sent + waiting[:end])[-_LOOKBACK:], conversation)
            if not verdict.allowed:
                return verdict
            yield waiting[:end]
            sent, waiting = (sent + waiting[:end])[-_LOOKBACK:], waiting[end:]
        verdict = self.screen_output((sent + waiting)[-_LOOKBACK:], conversation)
        if verdict.allowed and waiting:
            yield waiting
        return verdict
