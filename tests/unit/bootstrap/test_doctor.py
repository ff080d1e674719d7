"""What the doctor says of packages, weights, runs, stores and servers: real ones, sound and damaged."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from smallhours.bootstrap import remembering
from smallhours.bootstrap.doctor import (
    EXAMINATIONS,
    Check,
    State,
    examine,
    machine,
    packages,
    safety,
    service,
)
from smallhours.bootstrap.doctor.check import ok
from smallhours.bootstrap.doctor.runs import STAGES, folders
from smallhours.bootstrap.doctor.stores import master_keys, memory
from smallhours.bootstrap.doctor.weights import WEIGHTS, compare, whole
from smallhours.domain.artifacts import staged_folder
from smallhours.domain.errors import RunError
from smallhours.domain.settings import Settings, load_settings

SECRET = "hunter2hunter2"


def settings(tmp_path: Path, **more: object) -> Settings:
    return load_settings(None, {}, {"runs": str(tmp_path / "runs"), **more})


def only(found: Iterator[Check]) -> Check:
    (check,) = found
    return check


# Packages and weights.


def test_the_lock_of_this_repository_is_read_whole() -> None:
    locked = packages.read_lock(packages.LOCK)
    lines = [line for line in packages.LOCK.read_text().splitlines() if not line.startswith("#")]
    assert [f"{one.name}=={str(one.specifier)[2:]}" for one in locked] == lines


@pytest.mark.parametrize(
    ("wanted", "told"),
    [("click>=8", ""), ("click==1.0", "not ==1.0"), ("no-such-package==1", "not installed")],
)
def test_a_package_is_compared_with_what_is_wanted(wanted: str, told: str) -> None:
    found = packages.fault(Requirement(wanted))
    assert found.endswith(told) and bool(found) == bool(told)


def test_a_missing_package_is_an_error_only_where_the_service_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# ours\nclick>=8\nno-such-package==1\n")
    monkeypatch.setattr(packages, "LOCK", lock)
    found = only(packages.versions(settings(tmp_path)))
    assert found.state == State.WARNING and found.details == ("no-such-package: not installed",)
    monkeypatch.setattr(packages, "required", lambda *extras: [Requirement("no-such-package")])
    found = only(packages.versions(settings(tmp_path)))
    assert found.state == State.ERROR and "no-such-package" in found.said


def test_extras_are_named_by_what_is_here(tmp_path: Path) -> None:
    said = only(packages.extras(settings(tmp_path))).said
    here, _, absent = said.partition("; not here:")
    assert "serve" in here and "train" in here and "qlora" in here + absent and "dev" not in said


def test_the_packaged_weights_are_whole(tmp_path: Path) -> None:
    for name in WEIGHTS:
        assert only(whole(settings(tmp_path), name)).state == State.OK, name


def test_damaged_and_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "toy_weights-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.0\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"sound").digest()).rstrip(b"=").decode()
    rows = [f"{name},sha256={digest},5" for name in ("sound.bin", "damaged.bin", "lost.bin")]
    (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,"]) + "\n")
    (tmp_path / "sound.bin").write_bytes(b"sound")
    (tmp_path / "damaged.bin").write_bytes(b"soun!")
    monkeypatch.syspath_prepend(str(tmp_path))
    read, faults = compare("toy-weights")
    assert read == 10
    assert faults[0] == "damaged.bin: not what was packed" and faults[1].startswith(
        "lost.bin: cannot be read"
    )


# The machine and the safety path.


def test_a_processor_without_the_instructions_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    for flags, state in [("sse2 avx", State.WARNING), ("avx2 fma f16c avx512_bf16", State.OK)]:
        cpuinfo.write_text(f"processor : 0\nflags\t\t: {flags}\n\nprocessor : 1\n")
        assert only(machine.cpu(settings(tmp_path))).state == state
    cpuinfo.unlink()
    assert "does not tell" in only(machine.cpu(settings(tmp_path))).said


def test_the_safety_path_works_where_torch_cannot_be_imported(tmp_path: Path) -> None:
    found = only(safety.alone(settings(tmp_path)))
    assert found.state == State.OK and "no torch" in found.said


SOUND = {"crises": [True, False], "levels": ["high", "low"], "broken": [], "words": True, "services": 2}


@pytest.mark.parametrize(
    "fault",
    [{"crises": [False, False]}, {"crises": [True, True]}, {"broken": ["guard_error"]}, {"services": 0}],
)
def test_a_safety_path_that_misses_alarms_or_breaks_is_an_error(fault: dict[str, object]) -> None:
    assert safety.judged(SOUND).state == State.OK
    assert safety.judged(SOUND | fault).state == State.ERROR


# Runs.


def stage(run: Path, name: str) -> None:
    with staged_folder(run / name, stage=name, inputs={}, config={}, seed=1, figures={}) as folder:
        (folder / "adapter_model.safetensors").write_bytes(name.encode())
        if name == "evaluation":
            done = json.loads((run / "adapter" / "manifest.json").read_text())
            verdict = {"weights": done["files"]["adapter_model.safetensors"], "pass": True, "lines": []}
            (folder / "verdict.json").write_text(json.dumps(verdict))


def test_a_run_is_followed_from_nothing_to_a_verdict(tmp_path: Path) -> None:
    ours = settings(tmp_path, name="mine")
    assert only(folders(ours)).state == State.WARNING
    for name in STAGES:
        if name != "dataset":
            found = only(folders(ours))
            assert found.state == State.ERROR and f"{name} not finished" in found.said
        stage(ours.run_folder, name)
    assert only(folders(ours)).state == State.OK

    verdict = ours.run_folder / "evaluation" / "verdict.json"
    said_no = json.loads(verdict.read_text()) | {"pass": False, "lines": [{"name": "recall", "pass": False}]}
    verdict.write_text(json.dumps(said_no))
    assert "recall" in only(folders(ours)).said
    verdict.write_text("{")
    assert "verdict.json: damaged" in only(folders(ours)).said
    verdict.unlink()
    assert "verdict.json missing" in only(folders(ours)).said


def test_another_run_that_is_not_finished_is_a_warning(tmp_path: Path) -> None:
    ours = settings(tmp_path, name="mine")
    stage(ours.runs / "other", "dataset")
    assert [check.state for check in folders(ours)] == [State.WARNING, State.WARNING]


# Port and servers.


def test_a_port_is_free_taken_or_ours_already(tmp_path: Path) -> None:
    class Alive(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status":"ok"}')

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Alive)
    ours = settings(tmp_path, **{"serve.port": server.server_port})
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    assert "a gateway answers there" in only(service.port(ours)).said
    server.shutdown()
    server.server_close()
    assert only(service.port(ours)).said.endswith("is free")


def test_a_port_that_something_else_holds_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = only(service.port(settings(tmp_path, **{"serve.port": silent.getsockname()[1]})))
    assert found.state == State.ERROR and "--port" in found.remedy


def test_keys_only_and_no_key_is_said(tmp_path: Path) -> None:
    found = only(service.api_keys(settings(tmp_path, **{"gateway.anonymous": False})))
    assert found.state == State.WARNING and "smallhours keys add" in found.remedy


# What is remembered.


def test_looking_makes_nothing(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    assert [only(memory(ours)).state, only(master_keys(ours)).state] == [State.OK, State.OK]
    assert not ours.runs.exists()


def test_a_kept_database_is_looked_at_and_damage_is_found(tmp_path: Path) -> None:
    ours = settings(tmp_path)

    async def keep() -> None:
        room = remembering.open_room(ours)
        async with room.database.writing(), room.keyring.database.writing():
            pass
        await room.database.close()
        await room.keyring.database.close()

    asyncio.run(keep())
    assert [check.state for check in memory(ours)] == [State.OK, State.OK]
    assert only(master_keys(ours)).state == State.OK

    key = remembering.memory_folder(ours) / "master.key"
    key.chmod(0o644)
    assert "chmod 600" in only(master_keys(ours)).remedy
    key.unlink()
    assert only(master_keys(ours)).state == State.ERROR and not key.exists()

    database = remembering.memory_folder(ours) / "memory.db"
    kept = database.read_bytes()
    database.write_bytes(kept[:4096] + b"\xff" * (len(kept) - 4096))
    assert [check.state for check in memory(ours)] == [State.ERROR, State.OK]


# The whole.


def test_what_cannot_be_looked_at_does_not_hide_the_rest_nor_say_a_secret(tmp_path: Path) -> None:
    def breaks(_: Settings) -> Iterator[Check]:
        raise RuntimeError(SECRET)

    def refuses(_: Settings) -> Iterator[Check]:
        raise RunError("runs/x: damaged\nmore")

    found = list(
        examine(settings(tmp_path), {"one": breaks, "two": refuses, "three": lambda _: [ok("three", "well")]})
    )
    assert [check.state for check in found] == [State.ERROR, State.ERROR, State.OK]
    assert found[0].said == "could not be looked at (RuntimeError)"
    assert (found[1].said, found[1].details) == ("runs/x: damaged", ("more",))


def test_no_secret_of_the_settings_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_MASTER", f"k1:{base64.b64encode(b'm' * 32).decode()}")
    nobody = f"u:{SECRET}@127.0.0.1:1"
    ours = settings(
        tmp_path,
        **{
            "memory.url": f"postgresql://{nobody}/x",
            "memory.master": "env:OUR_MASTER",
            "gateway.redis": f"redis://{nobody}/0",
            "upstream.url": f"http://{nobody}/v1",
        },
    )
    stage(ours.run_folder, "package")
    asked = {name: EXAMINATIONS[name] for name in ("memory", "master keys", "redis", "upstream")}
    found = {check.name: check for check in examine(ours, asked)}
    assert [check.state.value for check in found.values()] == ["error", "ok", "warning", "error"]
    said = repr(found)
    assert SECRET not in said and base64.b64encode(b"m" * 32).decode() not in said
    assert "127.0.0.1:1" in found["memory"].said and "127.0.0.1:1" in found["redis"].said
