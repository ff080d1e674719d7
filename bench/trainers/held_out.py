"""The held-out loss of any PEFT adapter on the embedded base, by the code that our report uses.

    python held_out.py EXAMPLES.jsonl NAME=ADAPTER ... > losses.json

A name without a folder after ``=`` is the base alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from smallhours.domain.records import read_examples
from smallhours.domain.settings import TrainSettings
from smallhours.llm.answer_loss import AnswerObjective, answer_losses, encode
from smallhours.llm.catalog import EMBEDDED
from smallhours.llm.chat_format import chat_format
from smallhours.llm.loading import choose_dtype, load_model, load_tokenizer


def main() -> None:
    """Print the mean loss (nats per answer token) of each adapter as a JSON object."""
    path, *named = sys.argv[1:]
    options, form, tokenizer = TrainSettings(), chat_format(EMBEDDED.chat_format), load_tokenizer(EMBEDDED)
    pad = tokenizer.convert_tokens_to_ids(form.end)
    examples = encode(read_examples(Path(path)), tokenizer, form, options.system_prompt, EMBEDDED.context)
    found = {}
    for name, _, adapter in (item.partition("=") for item in named):
        model = load_model(EMBEDDED, choose_dtype("auto"), Path(adapter) if adapter else None)
        losses = answer_losses(AnswerObjective(model), examples, pad)
        found[name] = sum(loss.nll for loss in losses) / sum(loss.tokens for loss in losses)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
