"""What this machine can train, before anything is loaded."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.train.planner import TrainingPlan
    from smallhours.train.workload import Workload


def plan(settings: Settings) -> TrainingPlan:
    """What this machine can train on the pairs of the settings: no model is loaded, lengths are estimated.

    Raises:
        DataError: for pairs that cannot be read.
        InputError: for a base that is not known.
    """
    from smallhours.corpus.sources import Reading, load_pairs, source_name
    from smallhours.llm.catalog import CATALOG, find_base
    from smallhours.llm.chat_format import CHATML, FORMATS
    from smallhours.llm.loading import cache_folder
    from smallhours.llm.machine import measure_machine
    from smallhours.train.planner import TrainingPlan, candidate, forecast
    from smallhours.train.responder.fit import make_plan
    from smallhours.train.workload import estimated_lengths, split_sizes, workload_of

    options = settings.train
    pairs = load_pairs(settings.data, Reading(settings.corpus.columns, settings.corpus.sheet))
    examples, held_out = split_sizes(len(pairs), settings.corpus)
    steps = make_plan(examples, options)
    machine = measure_machine(cache_folder())
    dtype = machine.trainer.rates.fastest if options.dtype == "auto" else options.dtype

    @cache
    def workload(form: str) -> Workload:
        # A template of the base's own is in files that may not be here; ChatML takes about as many tokens.
        lengths = estimated_lengths(pairs, FORMATS.get(form, CHATML), options.system_prompt)
        return workload_of(lengths, held_out, steps, options.batch_size)

    chosen = find_base(settings.base)
    bases = {chosen.name: chosen, **CATALOG}.values()
    found = [
        forecast(candidate(base), workload(base.chat_format), machine, dtype, options.rank, settings.serve)
        for base in bases
    ]
    return TrainingPlan(
        machine=machine,
        dtype=dtype,
        chosen=chosen.name,
        data=source_name(settings.data),
        pairs=len(pairs),
        examples=examples,
        workload=workload(chosen.chat_format),
        forecasts=tuple(sorted(found, key=lambda one: one.parameters)),
    )
