"""The processes that train together, by accelerate; with no launcher there is one, and nothing here acts.

``torchrun`` and ``accelerate launch`` start the same command several times and say in its environment which
of them it is. Each process holds the whole model (PyTorch's DistributedDataParallel) or, with
``ACCELERATE_USE_FSDP=true``, a part of it (fully_shard, FSDP 2; Zhao et al. 2023, arXiv:2304.11277).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import (
    DistributedDataParallelKwargs,
    DistributedType,
    FullyShardedDataParallelPlugin,
    InitProcessGroupKwargs,
    broadcast_object_list,
    gather_object,
)

from smallhours.domain.errors import RunError, SettingsError

# How long one process waits for another: a base may have to be fetched and unpacked.
PATIENCE = timedelta(hours=1)


@cache
def together() -> Accelerator:
    """This process among those of the training: its device, its number, how many there are.

    Raises:
        SettingsError: the first version of FSDP is asked for.
    """
    sharded = os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
    plugin = _sharding() if sharded else None
    made = Accelerator(
        cpu=not torch.cuda.is_available(),
        # The number type is train.dtype's business; buffers are constants.
        mixed_precision="no",
        fsdp_plugin=plugin,
        kwargs_handlers=[
            DistributedDataParallelKwargs(broadcast_buffers=False),
            InitProcessGroupKwargs(timeout=PATIENCE),
        ],
    )
    if plugin is not None and made.distributed_type is DistributedType.MULTI_CPU:
        # accelerate itself shards over GPUs only; what it calls works between CPUs as well.
        PartialState().distributed_type = DistributedType.FSDP
        made.state.distributed_type, made.state.fsdp_plugin = DistributedType.FSDP, plugin
    return made


def _sharding() -> FullyShardedDataParallelPlugin:
    if os.environ.get("FSDP_VERSION", "2") != "2":
        raise SettingsError(
            "FSDP: version 1 cannot train a few parameters beside frozen ones; give accelerate launch "
            "--fsdp_version 2, or write fsdp_version: 2 into its configuration"
        )
    return FullyShardedDataParallelPlugin(fsdp_version=2, auto_wrap_policy="TRANSFORMER_BASED_WRAP")


def sharded() -> bool:
    """Whether each process holds only a part of the base."""
    return bool(together().distributed_type is DistributedType.FSDP)


def distribute(
    objective: torch.nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """The objective as all processes compute it, and the optimizer for what became of its parameters."""
    if together().distributed_type is DistributedType.NO:
        return objective, optimizer
    if not sharded():
        prepared: torch.nn.Module = together().prepare(objective)
        return prepared, optimizer
    prepared, wrapped = together().prepare(objective, optimizer)
    return prepared, wrapped.optimizer


def total(value: torch.Tensor) -> torch.Tensor:
    """The sum of a tensor over all processes."""
    found: torch.Tensor = together().reduce(value, "sum")
    return found


def main_says(value: Any) -> Any:
    """What the main process holds for ``value``, which others may have measured otherwise."""
    (said,) = broadcast_object_list([value])
    return said


def all_say(value: Any) -> list[Any]:
    """The value of each process, by number."""
    found: list[Any] = gather_object([value])
    return found


def require_same(value: Any, what: str) -> None:
    """Stop all processes where one of them would wait for ever for what the others do.

    Raises:
        RunError: ``value`` differs between processes.
    """
    found = all_say(value)
    others = [str(number) for number, other in enumerate(found) if other != found[0]]
    if others:
        raise RunError(
            f"training in {len(found)} processes: process {', '.join(others)} sees another {what} than "
            "process 0. All hosts need the same run folder on a shared file system, the same base and the "
            "same package versions"
        )


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor with the parts that other processes hold; all of them must ask at the same time."""
    found = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return found.detach()


def part_of(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """The part of a whole tensor that this process holds of ``like``, on its device."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(like, DTensor) or tensor.shape != like.shape:
        return tensor.to(like.device)
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)


def whole_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimizer's state as one process alone would have it."""
    state = optimizer.state_dict()
    return {**state, "state": {number: _each(own, whole) for number, own in state["state"].items()}}


def part_of_state(state: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What this process holds of such a state."""
    learnt = [p for group in optimizer.param_groups for p in group["params"]]
    own = {
        number: _each(values, lambda tensor, like=learnt[number]: part_of(tensor, like))
        for number, values in state["state"].items()
    }
    return {**state, "state": own}


def _each(values: Mapping[str, Any], change: Any) -> dict[str, Any]:
    # A count of steps is the same everywhere and stays where it is.
    return {
        name: change(value) if isinstance(value, torch.Tensor) and value.dim() else value
        for name, value in values.items()
    }
