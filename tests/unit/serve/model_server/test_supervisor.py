"""What becomes of the model's process: every way it can end, with a stand-in for the model."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.errors import EngineError
from smallhours.llm.engines.llama_server import LlamaOptions
from smallhours.serve.model_server.supervisor import Supervisor, Timings
from tests.waiting import until

CHILD = Path(__file__).with_name("fake_child.py")
QUICK = Timings(hopeless=0.6, first_wait=0.05, longest_wait=0.1, farewell=0.3)


def is_alive(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists()


@pytest.fixture
def supervised(tmp_path: Path) -> Callable[..., object]:
    @contextmanager
    def make(mood: str = "well", timings: Timings = QUICK) -> Iterator[Supervisor]:
        command = (sys.executable, "-S", str(CHILD), mood, str(tmp_path / "lives"))
        supervisor = Supervisor(LlamaOptions("weights.gguf"), timings, command)
        supervisor.start()
        try:
            yield supervisor
        finally:
            supervisor.stop()
            assert supervisor.state.name == "stopped"

    return make


def test_it_starts_tells_where_and_leaves_nothing_behind(supervised) -> None:
    with supervised() as supervisor:
        assert supervisor.wait(60)
        pid = supervisor.state.pid
        assert supervisor.url.startswith("http://127.0.0.1:") and is_alive(pid)
    assert not is_alive(pid)


def test_a_death_is_noticed_within_a_second_ends_what_is_under_way_and_is_made_good(supervised) -> None:
    with supervised() as supervisor:
        assert supervisor.wait(60)
        pid = supervisor.state.pid
        with supervisor.lifeline(None) as life:
            assert supervisor.in_flight == 1
            os.kill(pid, signal.SIGKILL)
            assert until(lambda: life.cancelled) < 1
        until(lambda: supervisor.state.name == "ready")
        assert supervisor.state.restarts == 1 and supervisor.state.pid != pid
        assert "SIGKILL; out of memory?" in supervisor.state.reason


def test_a_stopped_process_is_noticed_within_a_second_and_taken_back_if_it_goes_on(supervised) -> None:
    with supervised(timings=Timings(hopeless=30)) as supervisor:
        assert supervisor.wait(60)
        pid = supervisor.state.pid
        os.kill(pid, signal.SIGSTOP)
        assert until(lambda: supervisor.state.name == "unresponsive") < 1
        with pytest.raises(EngineError, match="unresponsive"), supervisor.lifeline(None):
            pass
        os.kill(pid, signal.SIGCONT)
        until(lambda: supervisor.state.name == "ready")
        assert (supervisor.state.pid, supervisor.state.restarts) == (pid, 0)


def test_one_that_stays_silent_is_ended_and_replaced(supervised) -> None:
    with supervised() as supervisor:
        assert supervisor.wait(60)
        pid = supervisor.state.pid
        os.kill(pid, signal.SIGSTOP)
        until(lambda: supervisor.state.restarts == 1 and supervisor.state.name == "ready")
        assert not is_alive(pid) and "silent" in supervisor.state.reason


def test_a_loop_that_does_not_turn_is_found_out_when_somebody_waits_in_vain(supervised) -> None:
    with supervised("stuck") as supervisor:
        assert supervisor.wait(60)
        supervisor.suspect()
        until(lambda: supervisor.state.restarts == 1 and supervisor.state.name == "ready")
        assert "silent" in supervisor.state.reason


def test_a_suspicion_that_proves_wrong_changes_nothing(supervised) -> None:
    with supervised() as supervisor:
        assert supervisor.wait(60)
        supervisor.suspect()
        time.sleep(0.5)
        until(lambda: supervisor.state.name == "ready")
        assert supervisor.state.restarts == 0


def test_it_is_tried_again_until_it_comes_up(supervised) -> None:
    with supervised("dies twice") as supervisor:
        assert supervisor.wait(60)
        assert supervisor.state.restarts == 2 and "SIGSEGV" in supervisor.state.reason


def test_one_that_dies_again_and_again_is_started_ever_more_seldom(supervised, tmp_path: Path) -> None:
    with supervised("dies at once", Timings(first_wait=0.1, longest_wait=60, farewell=0.3)) as supervisor:
        assert not supervisor.wait(0.3)
        until(lambda: supervisor.state.restarts >= 3)
    began = [float(line) for line in (tmp_path / "lives").read_text().split()]
    for number, gap in enumerate(b - a for a, b in pairwise(began)):
        assert gap >= 0.1 * 2**number


def test_weights_that_cannot_be_loaded_are_said_once_and_not_tried_for_ever(
    supervised, tmp_path: Path
) -> None:
    with supervised("refuses") as supervisor:
        with pytest.raises(EngineError, match=r"weights\.gguf: not a model"):
            supervisor.wait(60)
        until(lambda: supervisor.state.name == "stopped")
    assert len((tmp_path / "lives").read_text().split()) == 1


def test_one_that_loads_for_ever_is_ended(supervised) -> None:
    with supervised("never ready", Timings(loading=0.3, farewell=0.2, first_wait=9)) as supervisor:
        until(lambda: supervisor.state.name == "waiting")
        assert "not loaded after" in supervisor.state.reason


def test_one_that_will_not_go_is_made_to(supervised) -> None:
    with supervised("will not go") as supervisor:
        assert supervisor.wait(60)
        pid = supervisor.state.pid
    assert not is_alive(pid)


def test_who_waits_for_an_answer_may_call_it_off(supervised) -> None:
    with supervised() as supervisor:
        assert supervisor.wait(60)
        cancel = Cancellation()
        with supervisor.lifeline(cancel) as life:
            threading.Thread(target=cancel.cancel).start()
            until(lambda: life.cancelled)
        assert supervisor.in_flight == 0 and supervisor.state.name == "ready"
