"""LiteLLM's content filter with its category ``harmful_self_harm`` as it ships, threshold ``medium``.

The call is ``ContentFilterGuardrail(categories=...).apply_guardrail(...)``; an alarm is the ``HTTPException``
by which it blocks a request. No model and no network: prices come from the file in the package.
"""

import asyncio
import json
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

from fastapi import HTTPException
from litellm.proxy.guardrails.guardrail_hooks.litellm_content_filter.content_filter import (
    ContentFilterGuardrail,
)

guard = ContentFilterGuardrail(
    guardrail_name="self-harm",
    categories=[{"category": "harmful_self_harm", "enabled": True, "action": "BLOCK"}],
)


async def blocked(text: str) -> bool:
    """Whether a request with this text is refused."""
    try:
        await guard.apply_guardrail({"texts": [text]}, {"metadata": {}}, "request")
    except HTTPException:
        return True
    return False


for line in sys.stdin:
    print(json.dumps(asyncio.run(blocked(json.loads(line)["text"]))))
