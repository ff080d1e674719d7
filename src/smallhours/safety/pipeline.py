"""The safety path: screen what comes in, what goes out, and what goes out while it is being written.

An error in any guard escalates; it never allows. Nothing here logs or stores text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import lru_cache

from smallhours.domain.messages import Conversation
from smallhours.domain.risk import Decision, Finding, OutputVerdict, RiskLevel
from smallhours.safety import classifier, policy
from smallhours.safety import conversation as turns
from smallhours.safety.detectors import contact, crisis, harm, reply, scope
from smallhours.safety.language import guess_language

Detector = Callable[[str], Sequence[Finding]]

INPUT_DETECTORS: Mapping[str, Detector] = {
    "crisis": crisis.detect,
    "harm": harm.detect,
    "scope": scope.detect,
    "classifier": classifier.detect,
}
OUTPUT_DETECTORS: Mapping[str, Detector] = {"reply": reply.detect, "contact": contact.detect}

_REMEMBERED = 256
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
    ) -> None:
        self._input = dict(input_detectors)
        self._output = dict(output_detectors)
        # Earlier messages of a conversation come back with every turn.
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._detect)

    def _detect(self, text: str) -> tuple[Finding, ...]:
        return policy.joined([found for detector in self._input.values() for found in detector(text)])

    def _screen(self, text: str) -> tuple[Finding, ...]:
        try:
            return self._remembered(text) if len(text) <= _LONG else self._detect(text)
        except Exception:  # noqa: BLE001 - as above
            return _each(self._input, text, RiskLevel.ELEVATED)

    def screen_input(self, conversation: Conversation) -> Decision:
        """How worried to be about the conversation as it stands; never an error."""
        try:
            findings = turns.assess(conversation, self._screen)
            return policy.decide(findings, guess_language(conversation.last_user_text))
        except Exception:  # noqa: BLE001 - as above
            return policy.decide([_guard_error(RiskLevel.ELEVATED)], "und")

    def screen_output(self, reply_text: str, conversation: Conversation) -> OutputVerdict:
        """Whether a reply may be sent as it is; never an error.

        ``conversation`` is what the reply answers; today's rules look at the reply alone.
        """
        found = _each(self._output, reply_text, RiskLevel.HIGH)
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
