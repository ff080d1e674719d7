"""A GGUF model in llama.cpp, asked over its own HTTP interface as any program would ask it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from smallhours.domain.errors import EngineError
from smallhours.domain.messages import Conversation
from smallhours.export.parity.probe import Ids, Led, Walk
from smallhours.llm.engines.llama_server import LlamaOptions, open_server

# Tokens past an answer, so that one which the end token does not end is seen to go on.
_MARGIN = 8
# Added to a logit to make a choice certain; the losses that llama.cpp tells are of the logits before.
_CERTAIN = 1000.0
Render = Callable[[Conversation], str]


class InLlamaCpp:
    """A GGUF file with an optional GGUF adapter.

    Args:
        render: how a conversation becomes text; ``None``: by the template inside the file.
        context: tokens of the longest prompt with what follows.

    Raises:
        EngineError: llama.cpp cannot load it.
    """

    def __init__(self, weights: Path, adapter: Path | None, render: Render | None, context: int) -> None:
        # One sequence at a time: what is batched together changes the last digits.
        self._server: Any = open_server(
            LlamaOptions(
                str(weights), str(adapter) if adapter else None, context=context + _MARGIN, parallel=1
            )
        )
        self._render = render or self._own_template

    def prompt_ids(self, conversation: Conversation) -> Ids:
        """As a server tokenizes a prompt: what the file wants added is added."""
        text = self._render(conversation)
        found = self._post("/tokenize", {"content": text, "parse_special": True, "add_special": True})
        return tuple(found["tokens"])

    def greedy(self, prompts: Sequence[Ids], tokens: int) -> list[Ids]:
        """No stop text is given: the end token alone may end an answer."""
        return [tuple(self._complete(prompt, tokens)["tokens"]) for prompt in prompts]

    def lead(self, answers: Sequence[Led]) -> list[Walk]:
        """Token by token, each made certain; the one before stays in llama.cpp's cache."""
        return [self._led(answer) for answer in answers]

    def close(self) -> None:
        """Free the model."""
        self._server = None

    def _led(self, answer: Led) -> Walk:
        nll = []
        for at, number in enumerate(answer.ids):
            before, last = answer.prompt + answer.ids[:at], at == len(answer.ids) - 1
            certain = {"n_probs": 1, "logit_bias": [[number, _CERTAIN]]}
            found = self._complete(before, _MARGIN if last else 1, **certain)
            nll.append(_nll(number, found))
        return Walk(tuple(nll), found["tokens"] == [answer.ids[-1]] and found["stop_type"] == "eos")

    def _complete(self, prompt: Ids, tokens: int, **more: Any) -> dict[str, Any]:
        asked = {"prompt": list(prompt), "n_predict": tokens, "temperature": 0, "return_tokens": True, **more}
        return self._post("/completion", asked)

    def _own_template(self, conversation: Conversation) -> str:
        turns = [{"role": m.role.value, "content": m.content} for m in conversation.messages]
        return str(self._post("/apply-template", {"messages": turns})["prompt"])

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own server on loopback
            self._server.listening_address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        # A proxy that the environment names is not asked: this machine talks to itself.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise EngineError(f"llama.cpp refused {path}: {error.read().decode()}") from error
        except OSError as error:
            raise EngineError(f"llama.cpp did not answer {path}: {error}") from error
        return found


def _nll(number: int, found: dict[str, Any]) -> float | None:
    """Of the token that was made certain; llama.cpp does not tell it inside a character of several tokens."""
    told = found.get("completion_probabilities")
    return -float(told[0]["logprob"]) if told and told[0]["id"] == number else None
