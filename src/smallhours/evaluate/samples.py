"""The answers as lm-evaluation-harness logs its samples, for tools that read those.

One line per question: ``doc_id``, ``doc``, ``target``, ``arguments``, ``resps``, ``filtered_resps``, and each
metric under its own name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from smallhours.evaluate.baselines import Answered
from smallhours.evaluate.scorer_table import SCORERS
from smallhours.evaluate.scorers import Answer
from smallhours.evaluate.subjects import BASELINES


def samples(
    answered: Sequence[Answered], scored: Mapping[str, Sequence[Answer]], system_prompt: str
) -> dict[str, str]:
    """File name -> JSON Lines, one file for each baseline; a score that there is none of is left out."""
    return {
        f"samples_smallhours_{name}.jsonl": "".join(
            json.dumps(_row(at, one, name, scored[name][at], system_prompt), ensure_ascii=False) + "\n"
            for at, one in enumerate(answered)
        )
        for name in BASELINES
    }


def _row(at: int, one: Answered, name: str, answer: Answer, system_prompt: str) -> dict[str, object]:
    metrics = {scorer.name: scorer.score(answer) for scorer in SCORERS}
    known = {metric: value for metric, value in metrics.items() if value is not None}
    return {
        "doc_id": at,
        "doc": {"id": one.id, "topic": one.topic, "locale": one.locale, "question": one.question},
        "target": one.vetted,
        "arguments": [[f"{system_prompt}\n\n{one.question}", {}]],
        "resps": [[one.text(name)]],
        "filtered_resps": [one.text(name)],
        "metrics": sorted(known),
        **known,
    }
