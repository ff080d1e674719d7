"""The reader as it is fine-tuned: the sentence encoder, and a second summary beside its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from smallhours.safety.reader import whole
from smallhours.semantics.convolutions import CHANNELS, FEATURES, ORDERS, WIDTH
from smallhours.semantics.universal import original_weights, package, two_ends
from smallhours.train.risk.recipe import Recipe

Floats = NDArray[np.float32]
Parameters = list[torch.nn.Parameter]

QUESTIONS = 3  # of a message: a crisis? a grave one? of a reply: does it harm?
_LOUDER = 4.0  # the encoder's own summary, so that the new layer hears it beside the second


class Reader(torch.nn.Module):
    """All but the embeddings of tokens is tuned."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        torch.manual_seed(recipe.seed)
        self._split, self._net = package()
        self.tuned = torch.nn.ParameterDict(
            {
                name.replace(".", "_"): torch.nn.Parameter(torch.from_numpy(values.copy()))
                for name, values in original_weights().items()
            }
        )
        self.own = torch.nn.Linear(FEATURES, recipe.channels)
        self.head = torch.nn.Linear(WIDTH + 2 * recipe.channels, QUESTIONS)
        self.dropout = torch.nn.Dropout(recipe.dropout)
        self._unseen = recipe.unseen

    def tokens(self, text: str) -> list[int]:
        """Token ids of what is read of a text."""
        return two_ends(self._split(whole(text)))

    def parts(self) -> tuple[Parameters, Parameters]:
        """The encoder; the second summary and the questions."""
        return list(self.tuned.parameters()), [*self.own.parameters(), *self.head.parameters()]

    def forward(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """``(n, QUESTIONS)`` logits of texts given as token ids."""
        length = max(map(len, rows))
        mask = (torch.arange(length)[None, :] < torch.tensor([len(row) for row in rows])[:, None]).float()
        mask = mask[..., None]
        embedded = self._embedded([[*row, *[0] * (length - len(row))] for row in rows]) * mask
        if self.training:
            embedded = embedded * (torch.rand_like(mask) >= self._unseen)
        features = self._features(embedded, mask)
        shown = functional.relu(self.own(self.dropout(features))) * mask
        size = mask.sum(1)
        summary = torch.cat(
            [_LOUDER * self._summary(features.sum(1), size), shown.amax(1), shown.sum(1) / size], -1
        )
        logits: torch.Tensor = self.head(self.dropout(summary))
        return logits

    def _embedded(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        at, net = np.array(ids), self._net
        chunk = at % len(net.scale)
        return torch.from_numpy(net.table[at] * net.scale[chunk][..., None] + net.lo[chunk][..., None])

    def _features(self, embedded: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """As :class:`semantics.convolutions.Convolutions` has them, ``(n, length, FEATURES)``."""
        tuned, eps = self.tuned, self._net.eps
        projected = functional.layer_norm(
            embedded @ tuned["proj_W"] + tuned["proj_b"],
            (len(ORDERS) * CHANNELS,),
            tuned["ln_g_all"],
            tuned["ln_b_all"],
            eps,
        )
        found = [embedded]
        for branch, (order, before) in enumerate(ORDERS):
            hidden = projected[..., branch * CHANNELS : (branch + 1) * CHANNELS] * mask
            for layer in ("1", "2"):
                padded = functional.pad(hidden, (0, 0, before, order - 1 - before))
                window = torch.cat(
                    [padded[:, place : place + hidden.shape[1]] for place in range(order)], dim=-1
                )
                heard = window @ tuned[f"w{layer}_{branch}"] + tuned[f"b{layer}_{branch}"]
                hidden = (functional.relu(heard) + hidden) * mask
            found.append(hidden)
        features = functional.layer_norm(torch.cat(found, -1), (FEATURES,), tuned["ln_g"], tuned["ln_b"], eps)
        return features * mask

    def _summary(self, sums: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
        """As the encoder sums up a text, ``(n, WIDTH)``."""
        tuned, relu = self.tuned, functional.relu
        mean = (sums @ tuned["cnn_W"] + size * tuned["cnn_b"]) / size.sqrt()
        hidden = relu(mean @ tuned["p1"] + relu(mean @ tuned["d0"]) @ tuned["d1"])
        return torch.tanh(hidden @ tuned["p3"] + relu(hidden @ tuned["d2"]) @ tuned["d3"])

    def learnt(self) -> dict[str, Floats]:
        """All weights, as ``semantics.universal.TunedUniversal`` takes them, and the questions."""
        found = {name: self.tuned[name.replace(".", "_")].detach().numpy() for name in original_weights()}
        for name, layer in (("own", self.own), ("head", self.head)):
            found[f"{name}.weight"] = layer.weight.detach().numpy()
            found[f"{name}.bias"] = layer.bias.detach().numpy()
        found["head.weight"] = found["head.weight"] * ([_LOUDER] * WIDTH + [1.0] * (2 * len(self.own.bias)))
        return found
