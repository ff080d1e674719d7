"""The sizes of a decoder-only transformer, and what follows from them by arithmetic alone.

From a model's ``config.json`` this module tells how many parameters it has, how many an adapter trains,
what the weights and the attention cache take, and how many multiplications a token costs, before a single
weight is read. The counts are those of the transformers classes of the same architecture.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from smallhours.domain.errors import InputError

# Bytes of one weight. The quantized types are ggml's: blocks of 32 weights with a scale of two bytes,
# q4_1 with an offset of two bytes beside it.
BYTES = {
    "float32": Fraction(4),
    "float16": Fraction(2),
    "bfloat16": Fraction(2),
    "q8_0": Fraction(34, 32),
    "q4_1": Fraction(20, 32),
    "q4_0": Fraction(18, 32),
}


@dataclass(frozen=True)
class Linear:
    """One linear layer: its name as a LoRA target, its sizes, whether it has a bias."""

    name: str
    inputs: int
    outputs: int
    bias: bool = False

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.inputs * self.outputs + (self.outputs if self.bias else 0)


@dataclass(frozen=True)
class Shape:
    """The sizes of a decoder-only transformer.

    Attributes:
        architecture: ``model_type`` of its ``config.json``.
        width: of the hidden state; ``inner`` is that of the feed-forward layer.
        head_size: width of one attention head, for queries, keys and values alike.
        context: the longest sequence, in tokens, that it was made for.
        gated: the feed-forward layer is a product of two projections (SwiGLU, GeGLU).
        tied: the output head is the embedding matrix.
        positions: learned position vectors; 0 where positions are rotated in (RoPE).
        qkv_bias, out_bias, mlp_bias: biases of the projections into attention, out of it, and beyond.
        norms: normalizations of ``width`` in a layer; ``norm_bias`` where each has an offset, too.
        head_norms: queries and keys are normalized, one weight vector of ``head_size`` for each.
    """

    architecture: str
    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    context: int
    gated: bool = True
    tied: bool = True
    positions: int = 0
    qkv_bias: bool = False
    out_bias: bool = False
    mlp_bias: bool = False
    norms: int = 2
    norm_bias: bool = False
    head_norms: bool = False

    @property
    def linears(self) -> tuple[Linear, ...]:
        """The linear layers of one transformer layer, by the names that PEFT knows them by."""
        queries, keys = self.heads * self.head_size, self.kv_heads * self.head_size
        if self.architecture == "gpt2":
            return (
                Linear("c_attn", self.width, queries + 2 * keys, self.qkv_bias),
                Linear("c_proj", queries, self.width, self.out_bias),
                Linear("c_fc", self.width, self.inner, self.mlp_bias),
                Linear("c_proj", self.inner, self.width, self.mlp_bias),
            )
        gate = (Linear("gate_proj", self.width, self.inner, self.mlp_bias),) if self.gated else ()
        return (
            Linear("q_proj", self.width, queries, self.qkv_bias),
            Linear("k_proj", self.width, keys, self.qkv_bias),
            Linear("v_proj", self.width, keys, self.qkv_bias),
            Linear("o_proj", queries, self.width, self.out_bias),
            *gate,
            Linear("up_proj", self.width, self.inner, self.mlp_bias),
            Linear("down_proj", self.inner, self.width, self.mlp_bias),
        )

    @property
    def linear_names(self) -> tuple[str, ...]:
        """Names of all linear layers, each once: the widest choice of LoRA targets."""
        return tuple(dict.fromkeys(linear.name for linear in self.linears))

    @property
    def parameters(self) -> int:
        """All parameters; a tied output head is counted once, as the embeddings."""
        norm = self.width * (2 if self.norm_bias else 1)
        layer = sum(linear.parameters for linear in self.linears) + self.norms * norm
        if self.head_norms:
            layer += 2 * self.head_size
        embeddings = self.width * (self.vocabulary + self.positions)
        head = 0 if self.tied else self.width * self.vocabulary
        return embeddings + self.layers * layer + norm + head

    def lora_parameters(self, rank: int, targets: Collection[str]) -> int:
        """Trainable parameters of a LoRA adapter: ``rank * (inputs + outputs)`` for each target layer.

        (Hu et al. 2021, arXiv:2106.09685, section 4.1.)
        """
        chosen = [linear for linear in self.linears if linear.name in targets]
        return self.layers * rank * sum(linear.inputs + linear.outputs for linear in chosen)

    def weight_bytes(self, dtype: str) -> int:
        """Bytes of all weights in one of :data:`BYTES`; raises KeyError for another type.

        A real GGUF file keeps its norms, and often its embeddings, in a wider type, so it is somewhat larger.
        """
        return int(self.parameters * BYTES[dtype])

    def cache_bytes(self, tokens: int, dtype: str = "float16") -> int:
        """Bytes of keys and values of ``tokens`` positions; at most that where attention is windowed."""
        return int(2 * self.layers * self.kv_heads * self.head_size * tokens * BYTES[dtype])

    def multiplications(self, context: int = 0, *, head: bool = True) -> int:
        """Multiply-accumulates of one token on the way forward.

        Args:
            context: positions that the token attends to, itself included; attention costs one product with
                each key and one with each value.
            head: count the output head, which is wanted only where a token is predicted.
        """
        matrices = sum(linear.inputs * linear.outputs for linear in self.linears)
        attention = 2 * self.heads * self.head_size * context
        return self.layers * (matrices + attention) + (self.width * self.vocabulary if head else 0)


def shape_from_config(config: Mapping[str, Any]) -> Shape:
    """The shape that a ``config.json`` describes.

    Args:
        config: as read from the file; keys that may be absent get the default of transformers' class.

    Raises:
        InputError: an architecture that is not known here, a size that is missing or impossible.
    """
    architecture = config.get("model_type")
    if architecture == "gpt2":
        return _gpt2(config)
    if architecture in _LLAMA_LIKE:
        return _llama_like(config, **_LLAMA_LIKE[architecture])
    known = ", ".join(sorted(("gpt2", *_LLAMA_LIKE)))
    raise InputError(f"config.json: model_type '{architecture}' is not known here; known are {known}")


# What tells each from Llama: defaults of its configuration class and parts that its layers have besides.
_LLAMA_LIKE: dict[Any, dict[str, Any]] = {
    "llama": {},
    "mistral": {},
    "qwen2": {"qkv_bias": True, "out_bias": False},
    "qwen3": {"head_norms": True, "head_size": 128},
    "gemma3_text": {"head_norms": True, "head_size": 256, "norms": 4, "tied": True},
}


def _llama_like(config: Mapping[str, Any], **differs: Any) -> Shape:
    width, heads = _size(config, "hidden_size"), _size(config, "num_attention_heads")
    bias = bool(config.get("attention_bias", False))
    return Shape(
        architecture=str(config["model_type"]),
        layers=_size(config, "num_hidden_layers"),
        width=width,
        inner=_size(config, "intermediate_size"),
        heads=heads,
        kv_heads=_size(config, "num_key_value_heads", heads),
        head_size=_size(config, "head_dim", differs.get("head_size") or _share(width, heads)),
        vocabulary=_size(config, "vocab_size"),
        context=_size(config, "max_position_embeddings"),
        tied=bool(config.get("tie_word_embeddings", differs.get("tied", False))),
        qkv_bias=differs.get("qkv_bias", bias),
        out_bias=differs.get("out_bias", bias),
        mlp_bias=bool(config.get("mlp_bias", False)),
        norms=differs.get("norms", 2),
        head_norms=differs.get("head_norms", False),
    )


def _gpt2(config: Mapping[str, Any]) -> Shape:
    width, heads = _size(config, "n_embd"), _size(config, "n_head")
    positions = _size(config, "n_positions")
    return Shape(
        architecture="gpt2",
        layers=_size(config, "n_layer"),
        width=width,
        inner=_size(config, "n_inner", 4 * width),
        heads=heads,
        kv_heads=heads,
        head_size=_share(width, heads),
        vocabulary=_size(config, "vocab_size"),
        context=positions,
        gated=False,
        tied=bool(config.get("tie_word_embeddings", True)),
        positions=positions,
        qkv_bias=True,
        out_bias=True,
        mlp_bias=True,
        norm_bias=True,
    )


def _size(config: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = config.get(key)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"config.json: '{key}' is {value!r}; it must be a whole number above 0")
    return value


def _share(width: int, heads: int) -> int:
    if width % heads:
        raise InputError(f"config.json: a width of {width} cannot be shared by {heads} attention heads")
    return width // heads
