"""Put today's fixed replies into the built-in conversations, after the safety path or its words changed."""

from __future__ import annotations

from pathlib import Path

import smallhours.corpus
from smallhours.corpus.fixed import with_fixed_replies
from smallhours.corpus.sources import builtin_pairs
from smallhours.safety.pipeline import SafetyPipeline

FILE = Path(smallhours.corpus.__file__).parent / "data" / "conversations.en.jsonl"


def main() -> None:
    """Rewrite the file in place."""
    safety = SafetyPipeline()
    examples = [with_fixed_replies(example, safety) for example in builtin_pairs("conversations")]
    fields = {"group", "parent", "rewording"}
    FILE.write_text("".join(f"{e.model_dump_json(exclude=fields)}\n" for e in examples), encoding="utf-8")
    print(f"{FILE.name}: {len(examples)} conversations")


if __name__ == "__main__":
    main()
