"""What a training and a server cost by arithmetic: operations, seconds, bytes.

The constants were fitted on this trainer (docs/log.md, "forecasts of a training"); when it changes, measure
again with ``bench/forecast.py`` and refit them.
"""

from __future__ import annotations

from smallhours.domain.settings import ServeSettings
from smallhours.llm.machine import Dtype
from smallhours.llm.shape import BYTES, Shape
from smallhours.train.workload import Workload

# Share of the measured matrix rate that a step reaches, over the operations counted in `operations`, and the
# seconds that the first batch of each number of rows takes longer: the matrix library builds its kernels.
REACHED, NEW_SHAPE = 0.47, 2.0
# Python, torch, transformers and PEFT before any weight is read; llama.cpp, safety path and web server.
TRAIN_PROCESS, SERVE_PROCESS = 0.55e9, 0.45e9  # bytes
# A LoRA parameter in float32: its value, its gradient, AdamW's two moments, the best state seen so far.
BYTES_PER_TRAINED = 5 * 4
# Bytes in use by bytes of activations: gradients under way, the library's scratch, gaps in the heap.
ACTIVATION_FACTOR = 1.35
# Examples that a look at the validation set takes at once (the default of answer_loss.answer_losses).
LOOK_BATCH = 8
# Tokens whose logits are held at once in training (answer_loss.HEAD_ROWS) and in llama.cpp (its micro-batch).
TRAIN_LOGITS, SERVE_LOGITS = 128, 512


def seconds(shape: Shape, workload: Workload, rate: float) -> float:
    """Seconds of the training itself, at a matrix rate in GFLOP/s; loading the model is not counted."""
    return operations(shape, workload) / (rate * 1e9 * REACHED) + NEW_SHAPE * workload.shapes


def operations(shape: Shape, workload: Workload) -> float:
    """Additions and multiplications of a whole training, looks at the held-out examples included.

    A multiply-accumulate is two operations. Training does it forward and once more backward, for the input
    alone: frozen weights need no gradient, and the adapter's own share is small. Looks go forward alone.
    The prefix that a batch shares is computed once, and the head is computed where an answer is predicted.
    """
    context = round(workload.tokens)
    token = shape.multiplications(context, head=False)
    predicted = shape.multiplications(context) - token

    def batches(examples: int, size: int) -> float:
        own = (workload.tokens - workload.prefix) * examples
        shared = workload.prefix * examples / size
        return (own + shared) * token + workload.answer_tokens * examples * predicted

    trained = batches(workload.steps * workload.batch, workload.batch)
    looked_at = batches((workload.looks + 1) * workload.held_out, LOOK_BATCH)
    return 2 * (2 * trained + looked_at)


def train_memory(shape: Shape, trainable: int, workload: Workload, dtype: Dtype) -> int:
    """Peak bytes of a training: process, weights, adapter with optimizer, activations, a piece of logits."""
    longest = workload.longest
    tokens = workload.batch * (longest - workload.prefix) + workload.prefix
    width = BYTES[dtype] + BYTES["float32"]
    logits = TRAIN_LOGITS * shape.vocabulary * width
    activations = tokens * shape.layers * activation_bytes(shape, dtype)
    return int(
        TRAIN_PROCESS
        + shape.weight_bytes(dtype)
        + BYTES_PER_TRAINED * trainable
        + ACTIVATION_FACTOR * activations
        + logits
    )


def activation_bytes(shape: Shape, dtype: Dtype) -> int:
    """Bytes that one layer keeps of one token until its gradient has been computed.

    Kept in ``dtype``: the input of each projection (queries, keys and values share one, gate and up another),
    queries, keys and values, and what the activation function needs of the inner layer. Kept in float32: the
    input of each normalization. Attention keeps no weights: it computes them again.
    """
    queries = shape.heads * shape.head_size
    inputs = 2 * shape.width + queries + shape.inner
    # SwiGLU keeps gate, its activation and up; GPT-2's tanh formula keeps four terms.
    nonlinear = (3 if shape.gated else 4) * shape.inner
    states = queries + 2 * shape.kv_heads * shape.head_size
    narrow = inputs + states + nonlinear
    return int(narrow * BYTES[dtype] + shape.norms * shape.width * BYTES["float32"])


def evaluate_memory(shape: Shape) -> int:
    """Bytes to measure the held-out loss: in float32, so that the figure does not depend on the machine."""
    return int(TRAIN_PROCESS + shape.weight_bytes("float32"))


def serve_memory(shape: Shape, trainable: int, weights: int, serve: ServeSettings) -> int:
    """Bytes of a serving process: weights, adapter, keys and values of all parallel generations, logits."""
    cache = shape.cache_bytes(serve.context * serve.parallel)
    logits = SERVE_LOGITS * shape.vocabulary * 4
    return int(SERVE_PROCESS + weights + 4 * trainable + cache + logits)


def disk(shape: Shape, trainable: int, served: int) -> int:
    """Bytes on the disk: the checkpoint in bfloat16, the file that is served, the adapter for each."""
    return shape.weight_bytes("bfloat16") + served + 2 * 4 * trainable
