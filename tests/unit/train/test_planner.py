"""A forecast is arithmetic over a base's shape, the amount of text and measured rates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.errors import ResourceError
from smallhours.domain.settings import ServeSettings, Settings, TrainSettings
from smallhours.llm.answer_loss import Encoded
from smallhours.llm.catalog import EMBEDDED
from smallhours.llm.machine import Machine, Rates
from smallhours.llm.shape import Shape
from smallhours.train import costs, planner
from smallhours.train.costs import activation_bytes, operations, seconds, serve_memory, train_memory
from smallhours.train.planner import (
    Candidate,
    Forecast,
    TrainingPlan,
    announce_forecast,
    duration,
    fit,
    forecast,
    foresee,
)
from smallhours.train.responder.run import make_plan
from smallhours.train.workload import Workload

GIGA = 10**9
TINY = Shape(
    architecture="llama", layers=2, width=4, inner=8, heads=2, kv_heads=1, head_size=2, vocabulary=10,
    context=64,
)  # fmt: skip
MEDIUM = Shape(
    architecture="gpt2", layers=24, width=1024, inner=4096, heads=16, kv_heads=16, head_size=64,
    vocabulary=50257, context=1024, positions=1024, gated=False, qkv_bias=True, out_bias=True, mlp_bias=True,
    norm_bias=True,
)  # fmt: skip
WORK = Workload(
    steps=1, batch=2, looks=0, held_out=1, tokens=5, answer_tokens=2, longest=5, prefix=1, shapes=1
)  # fmt: skip
RUN = Workload(
    steps=64, batch=8, looks=6, held_out=48, tokens=146, answer_tokens=64, longest=200, prefix=40, shapes=8
)  # fmt: skip
LAPTOP = Machine(
    cores=2, memory=24 * GIGA, available=20 * GIGA, disk=100 * GIGA, rates=Rates(float32=200, bfloat16=400)
)  # fmt: skip


def planned(available: int = 20 * GIGA, shape: Shape = MEDIUM) -> Forecast:
    base = Candidate("medium", "Medium", shape, ("c_attn", "c_proj", "c_fc"))
    machine = replace(LAPTOP, available=available)
    return forecast(base, RUN, machine, "bfloat16", 16, ServeSettings())


def test_operations_of_a_case_worked_out_by_hand() -> None:
    # A token: 2 layers of 144 weights, and 2·4·5 products with keys and values in each: 368. The head: 40.
    # Trained: 2 examples of 4 tokens of their own and 1 shared, 4 predictions: 9·368 + 4·40 = 3,472.
    # Looked at: 1 example with its eighth of a shared prefix, 2 predictions: 4.125·368 + 2·40 = 1,598.
    assert operations(TINY, WORK) == 2 * (2 * 3472 + 1598)


def test_what_a_layer_keeps_of_a_token_worked_out_by_hand() -> None:
    # In the number type: inputs 4 + 4 + 4 + 8, queries 4, keys and values 2·2, SwiGLU 3·8: 52 numbers.
    # In float32: the inputs of two norms of 4.
    assert activation_bytes(TINY, "bfloat16") == 52 * 2 + 8 * 4
    assert activation_bytes(TINY, "float32") == (52 + 8) * 4


def test_memory_to_train_is_the_sum_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "TRAIN_PROCESS", 1000)
    monkeypatch.setattr(costs, "ACTIVATION_FACTOR", 1)
    tokens = 2 * (5 - 1) + 1
    parts = (
        1000,  # the process
        TINY.parameters * 2,  # frozen weights in bfloat16
        7 * 20,  # seven trained numbers in float32: value, gradient, two moments, the best so far
        tokens * 2 * activation_bytes(TINY, "bfloat16"),
        128 * 10 * (2 + 4),  # logits and probabilities of a chunk
    )
    assert train_memory(TINY, 7, WORK, "bfloat16") == sum(parts)


def test_memory_to_serve_holds_the_cache_of_every_parallel_generation() -> None:
    one = serve_memory(TINY, 0, 0, ServeSettings(context=256, parallel=1))
    four = serve_memory(TINY, 0, 0, ServeSettings(context=256, parallel=4))
    # keys and values, 2 layers, 1 head of 2, 256 positions, 2 bytes
    assert four - one == 3 * (2 * 2 * 1 * 2 * 256 * 2)


def test_a_faster_machine_takes_less_time_in_proportion() -> None:
    base = Candidate("medium", "Medium", MEDIUM, ("c_attn",))
    work = replace(RUN, shapes=0)
    slow = forecast(base, work, LAPTOP, "float32", 16, ServeSettings())
    fast = forecast(base, work, LAPTOP, "bfloat16", 16, ServeSettings())
    assert slow.seconds == pytest.approx(2 * fast.seconds)
    assert slow.train_memory > fast.train_memory
    low, high = fast.seconds_range
    assert low < fast.seconds < high


def test_time_is_operations_by_the_rate_reached_and_a_moment_for_each_new_shape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(costs, "REACHED", 0.5)
    monkeypatch.setattr(costs, "NEW_SHAPE", 3.0)
    assert seconds(TINY, WORK, rate=2e-6) == pytest.approx(17_084 / (2000 * 0.5) + 3)


@given(st.integers(1, 64), st.integers(1, 1000), st.integers(48, 318))
def test_more_text_never_needs_less(batch: int, steps: int, longest: int) -> None:
    small = replace(RUN, batch=batch, steps=steps, longest=longest)
    for more in ({"batch": batch + 1}, {"steps": steps + 1}, {"longest": longest + 1}):
        large = replace(small, **more)
        assert operations(TINY, large) >= operations(TINY, small)
        assert train_memory(TINY, 7, large, "bfloat16") >= train_memory(TINY, 7, small, "bfloat16")


@pytest.mark.parametrize(
    ("need", "verdict"), [(8, "fits"), (9, "tight"), (13, "tight"), (14, "too large"), (400, "too large")]
)
def test_what_fits_leaves_room_for_the_forecast_to_be_wrong(need: int, verdict: str) -> None:
    assert fit(need * GIGA, replace(LAPTOP, available=10 * GIGA)) == verdict


def test_the_seeds_model_has_the_seeds_size_and_fits_a_laptop() -> None:
    found = planned()
    assert found.parameters == 354_823_168
    # c_attn 1024 to 3072, two c_proj and one c_fc: 16·(4096 + 2048 + 5120 + 5120)·24
    assert found.trainable == 6_291_456
    assert found.fit == "fits"


def test_a_base_that_trains_and_cannot_be_evaluated_does_not_fit() -> None:
    base = Candidate("wide", "Wide", replace(MEDIUM, width=4096, inner=16384, layers=24), ("c_attn",))
    machine = replace(LAPTOP, available=11 * GIGA)
    found = forecast(base, replace(RUN, batch=1), machine, "bfloat16", 16, ServeSettings())
    assert fit(found.train_memory, machine) != "too large"
    assert found.evaluate_memory > 15 * GIGA and found.fit == "too large"


def test_a_forecast_is_one_line_before_training() -> None:
    said: list[str] = []
    announce_forecast(planned(), LAPTOP, said.append)
    assert len(said) == 1
    assert said[0].startswith("forecast: about ") and said[0].endswith(" GB")


def test_a_training_says_what_it_will_take_before_its_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(planner, "measure_machine", lambda models: LAPTOP)
    examples = [Encoded("x", tuple(range(144)), (False,) * 80 + (True,) * 64)] * 8
    steps = make_plan(1003, TrainSettings())
    foresee(EMBEDDED, Settings(), examples, 48, steps, said.append)
    assert len(said) == 1 and said[0].startswith("forecast: about ")
    monkeypatch.setattr(planner, "measure_machine", lambda models: replace(LAPTOP, available=GIGA // 2))
    with pytest.raises(ResourceError, match="smallhours plan"):
        foresee(EMBEDDED, Settings(), examples, 48, steps, said.append)


def test_too_little_memory_is_refused_with_a_remedy() -> None:
    said: list[str] = []
    machine = replace(LAPTOP, available=1 * GIGA)
    with pytest.raises(ResourceError, match=r"'medium'.*1\.0 GB are available.*train\.batch_size"):
        announce_forecast(planned(available=1 * GIGA), machine, said.append)
    assert said == []


def test_scarce_memory_is_a_warning() -> None:
    said: list[str] = []
    need = planned().train_memory
    machine = replace(LAPTOP, available=need)
    announce_forecast(planned(available=need), machine, said.append)
    assert "close other programs" in said[0]


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (0.2, "5 seconds"), (38, "40 seconds"), (55, "1 minute"), (95, "2 minutes"), (1500, "25 minutes"),
        (5400, "1.5 hours"), (200_000, "2 days"),
    ],
)  # fmt: skip
def test_durations_are_said_as_a_person_would(taken: float, said: str) -> None:
    assert duration(taken) == said


def plan_of(*forecasts: Forecast) -> TrainingPlan:
    return TrainingPlan(LAPTOP, "bfloat16", "small", "builtin:en", 1111, 1003, RUN, forecasts)


def one(name: str, parameters: int, taken: float, verdict: str = "fits") -> Forecast:
    return replace(planned(), name=name, parameters=parameters, seconds=taken, fit=verdict)  # type: ignore[arg-type]


def test_the_recommendation_names_the_chosen_base_and_the_largest() -> None:
    found = plan_of(
        one("small", 100, 240),
        one("middle", 300, 900),
        one("large", 900, 9000),
        one("giant", 7000, 10, "too large"),
    )
    assert found.recommendation == (
        "small: about 4 minutes (the chosen base); middle: about 15 minutes (the largest within an hour); "
        "large: about 2.5 hours (the largest that fits)"
    )


def test_a_chosen_base_that_does_not_fit_is_not_recommended() -> None:
    found = plan_of(one("tiny", 10, 30), one("small", 100, 240, "tight"))
    assert found.recommendation == "tiny: about 30 seconds (the largest that fits)"


def test_where_nothing_fits_the_recommendation_says_what_to_do() -> None:
    assert "train.batch_size" in plan_of(one("giant", 7000, 10, "too large")).recommendation
