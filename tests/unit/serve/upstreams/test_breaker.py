"""Asked while it answers, left alone while it does not, tried again now and then."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhours.serve.upstreams.breaker import Breaker


class Clock:
    """Stands still until it is told to go on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def broken(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, rest=1.0, longest=3.0, clock=clock)
    for _ in range(3):
        assert breaker.lets_through()
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker(failures=2, clock=Clock())
    for went_well in (False, True, False):
        assert breaker.lets_through()
        breaker.succeeded() if went_well else breaker.failed()
    assert breaker.state == "closed"
    breaker.failed()
    assert breaker.state == "open" and not breaker.lets_through()


def test_after_a_rest_one_call_tries_and_the_others_wait_for_it() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now = 1.0
    assert breaker.lets_through() and not breaker.lets_through()
    breaker.succeeded()
    assert breaker.lets_through() and breaker.lets_through()


def test_a_trial_that_fails_doubles_the_rest_up_to_the_longest() -> None:
    clock = Clock()
    breaker = broken(clock)
    for rest in (1.0, 2.0, 3.0, 3.0):
        clock.now += rest - 0.01
        assert not breaker.lets_through()
        clock.now += 0.01
        assert breaker.lets_through()
        breaker.failed()


def test_a_trial_that_was_called_off_says_nothing() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now = 1.0
    assert breaker.lets_through()
    breaker.called_off()
    assert breaker.lets_through()


@given(st.lists(st.sampled_from(["succeeded", "failed", "called_off", "wait"]), max_size=60))
def test_it_never_shuts_a_server_out_for_good(events: list[str]) -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for event in events:
        if event == "wait":
            clock.now += 1.0
        elif breaker.lets_through():
            getattr(breaker, event)()
    clock.now += 30.0
    assert breaker.lets_through()
