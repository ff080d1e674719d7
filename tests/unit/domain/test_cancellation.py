"""Whoever waits says that nobody waits any more; whatever blocks is told how to stop."""

from __future__ import annotations

import threading

from smallhours.domain.cancellation import Cancellation


def test_what_is_under_way_is_stopped_once_however_often_it_is_called_off() -> None:
    cancel, stopped = Cancellation(), []
    with cancel.stops(lambda: stopped.append("a")), cancel.stops(lambda: stopped.append("b")):
        cancel.cancel()
        cancel.cancel()
    assert stopped == ["a", "b"] and cancel.cancelled


def test_what_begins_too_late_is_stopped_at_once() -> None:
    cancel, stopped = Cancellation(), []
    cancel.cancel()
    with cancel.stops(lambda: stopped.append("late")):
        assert stopped == ["late"]


def test_what_is_over_is_left_alone() -> None:
    cancel, stopped = Cancellation(), []
    with cancel.stops(lambda: stopped.append("over")):
        pass
    cancel.cancel()
    assert stopped == []


def test_it_may_come_from_any_thread() -> None:
    cancel, woken = Cancellation(), threading.Event()
    with cancel.stops(woken.set):
        threading.Thread(target=cancel.cancel).start()
        assert woken.wait(5)
