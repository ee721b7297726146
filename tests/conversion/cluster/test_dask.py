"""Dask's workers, as processes of their own, and everything that is wrong with a cluster."""

import datetime
import gc
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.conversion.cluster import dask_cluster as module
from live_nst.conversion.cluster import dask_connection, dask_setup
from live_nst.conversion.cluster.address import Certificates, scheduler_address
from live_nst.conversion.cluster.dask_serving import serve
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.timetable import LookChange, StyleChange
from live_nst.errors import ConversionCancelled, ConversionError, DeviceError, UsageError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from tests.conversion.cluster import processes
from tests.conversion.cluster.test_spread import OPTIONS, run
from tests.conversion.make_videos import frames_of, write

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def images(clips: dict[str, Path]) -> list[np.ndarray]:
    return frames_of(clips["bikes"], 60, (96, 64))


def test_two_processes_give_the_same_file(images: list[np.ndarray], tmp_path: Path) -> None:
    film = write(tmp_path / "film.mp4", images, audio=[("aac", "mono", 300)])
    options = ConvertOptions(
        changes=(StyleChange("ink", 0.0, 1.0), StyleChange("wave", 1.0, 1.0)),
        looks=(LookChange(Look(), 0.0), LookChange(Look(keep_colors=0.5), 1.5)),
        fade=0.5,
        chunk=12,
    )
    workers = module.DaskWorkers.start(2, 1)
    try:
        assert sorted(workers.names().values()) == ["worker 1", "worker 2"]
        with StylizerCore(OPTIONS) as stylizer:
            run(film, tmp_path / "alone.mp4", stylizer, None, options)
            seen: list[Any] = []
            place: Any = workers
            said = run(
                film, tmp_path / "spread.mp4", stylizer, place, options, on_progress=seen.append
            )
    finally:
        workers.close()
    workers.close()
    assert any("2 workers paint with openvino" in line for line in said)
    assert (tmp_path / "spread.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()
    assert sum(worker.frames for worker in seen[-2].workers) >= 60 or seen[-1].frames == 60


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    address, process = processes.start_scheduler(tmp_path_factory.mktemp("scheduler") / "log")
    yield address
    processes.end(process)


def test_nothing_at_address() -> None:
    address = f"tcp://127.0.0.1:{processes.free_port()}"
    with pytest.raises(ConversionError, match="There is no Dask scheduler at"):
        module.DaskWorkers.connect(address, Certificates())


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.0 400 Bad Request\r\n\r\n"])
def test_no_scheduler_listens(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that waits for more, and one that answers in its own language."""
    monkeypatch.setattr(dask_connection, "_ANSWER_SECONDS", 1.0)

    def serve_it(server: socket.socket) -> None:
        with suppress(OSError):  # the test is over
            while True:
                connection, _ = server.accept()
                kept.append(connection)
                if answer:
                    connection.sendall(answer)

    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve_it, args=(server,), daemon=True)
        thread.start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        sentence = "no Dask scheduler at .*: what listens there does not answer as one"
        with pytest.raises(ConversionError, match=sentence):
            module.DaskWorkers.connect(address, Certificates())
        with pytest.raises(ConversionError, match=sentence):
            serve(address, Certificates(), workers=1, cores=1, notify=print, stop=lambda: False)
        server.shutdown(socket.SHUT_RDWR)
    thread.join()
    for each in kept:
        each.close()


def test_stopped_while_it_connects(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the head nor a worker waits for a program that is no scheduler."""

    def stop() -> None:
        raise ConversionCancelled("Stopped")

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConversionCancelled):
            module.DaskWorkers.connect(address, Certificates(), stop)
        said: list[str] = []
        serve(address, Certificates(), workers=1, cores=1, notify=said.append, stop=lambda: True)
        assert not said
    gc.collect()
    assert not caplog.records  # asyncio tells of exceptions that nobody took


def test_scheduler_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Dask's client has given up, whatever it raises, the head ends."""
    monkeypatch.setattr(module, "_CONNECT_SECONDS", 3.0)
    address, process = processes.start_scheduler(tmp_path / "log")
    workers = module.DaskWorkers.connect(address, Certificates())
    try:
        process.kill()
        process.wait()
        deadline = time.monotonic() + 25
        with pytest.raises(ConversionError, match="is gone"):
            while time.monotonic() < deadline:
                workers.names()
                time.sleep(0.1)
    finally:
        workers.close()


def test_scheduler_of_another_version(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "version", lambda package: "2001.1.0")
    with pytest.raises(ConversionError, match=r"runs Dask .*, this machine 2001\.1\.0") as caught:
        module.DaskWorkers.connect(scheduler, Certificates())
    assert "pip install distributed==" in caught.value.hint


def wait_for_worker(workers: Any) -> None:
    """A busy machine may take a minute to start one."""
    deadline = time.monotonic() + 180
    while not workers.names() and time.monotonic() < deadline:
        time.sleep(0.2)


WITHOUT = """
import asyncio, sys
sys.modules["live_nst"] = None
from distributed import Worker

async def main():
    worker = await Worker(sys.argv[1], nthreads=1, name="bare")
    await worker.finished()

asyncio.run(main())
"""


def test_worker_without_live_nst(scheduler: str, images: list[np.ndarray], tmp_path: Path) -> None:
    film = write(tmp_path / "film.mp4", images)
    log = tmp_path / "log"
    bare = processes.start([sys.executable, "-c", WITHOUT, scheduler], log)
    workers: Any = module.DaskWorkers.connect(scheduler, Certificates())
    try:
        wait_for_worker(workers)
        with (
            StylizerCore(OPTIONS) as stylizer,
            pytest.raises(ConversionError, match="none of the workers can paint"),
        ):
            run(film, tmp_path / "out.mp4", stylizer, workers)
    finally:
        workers.close()
        processes.end(bare)


def test_dask_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DeviceError, match="Dask is not installed"):
        dask_setup.import_dask()


def test_workers_do_not_watch_themselves() -> None:
    """Dask's profiler and clock take 6% of a core for each worker. A nanny hands this on."""
    distributed: Any = dask_setup.import_dask()
    nanny = distributed.Nanny("tcp://127.0.0.1:1", nthreads=1)
    assert nanny.config["distributed"]["worker"]["profile"]["enabled"] is False
    assert nanny.config["distributed"]["admin"]["tick"]["interval"] == "500ms"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, and a certificate that it signed."""
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder = tmp_path_factory.mktemp("tls")
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("films", "node")
    ]
    now = datetime.datetime.now(datetime.UTC)
    for index, file in enumerate(("ca", "node")):
        built = (
            x509.CertificateBuilder()
            .subject_name(names[index])
            .issuer_name(names[0])
            .public_key(keys[index].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=index == 0, path_length=None), critical=True)
            .sign(keys[0], hashes.SHA256())
        )
        (folder / f"{file}.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
        key = keys[index].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / f"{file}.key").write_bytes(key)
    return Certificates(folder / "ca.pem", folder / "node.pem", folder / "node.key")


def test_tls(
    certificates: Certificates, images: list[np.ndarray], tmp_path: Path, scheduler: str
) -> None:
    """A scheduler and a worker with certificates; whoever has none is refused.

    The scheduler cannot import live-nst, and needs not to.
    """
    files = [str(certificates.authority), str(certificates.certificate), str(certificates.key)]
    names = ["--tls-ca-file", "--tls-cert", "--tls-key"]
    options = [each for pair in zip(names, files, strict=True) for each in pair]
    log = tmp_path / "log"
    address, process = processes.start_scheduler(log, *options, protocol="tls")
    ours = [each for pair in zip(["--tls-ca", *names[1:]], files, strict=True) for each in pair]
    worker = processes.start([*processes.PROGRAM, "worker", address, "--cores", "1", *ours], log)
    try:
        with pytest.raises(UsageError, match="needs certificates"):
            module.DaskWorkers.connect(address, Certificates())
        with pytest.raises(ConversionError, match="scheduler at"):
            module.DaskWorkers.connect(address.replace("tls:", "tcp:"), Certificates())
        with pytest.raises(UsageError, match="There is no file"):
            module.DaskWorkers.connect(address, Certificates(authority=tmp_path / "nothing.pem"))
        film = write(tmp_path / "film.mp4", images[:24])
        workers: Any = module.DaskWorkers.connect(address, certificates)
        wait_for_worker(workers)
        with StylizerCore(OPTIONS) as stylizer:
            run(film, tmp_path / "alone.mp4", stylizer, None)
            run(film, tmp_path / "spread.mp4", stylizer, workers)
        workers.close()
        assert (tmp_path / "spread.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()
    finally:
        processes.end(worker)
        processes.end(process)


def test_worker_without_scheduler(tmp_path: Path) -> None:
    """One sentence and a hint, at once."""
    done = subprocess.run(
        [*processes.PROGRAM, "worker", "10.0.0.1:8786"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "is not encrypted" in done.stderr and "--insecure" in done.stderr


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("127.0.0.1", "tcp://127.0.0.1:8786"),
        ("localhost:9", "tcp://localhost:9"),
        ("[::1]:9", "tcp://[::1]:9"),
        ("tcp://127.3.2.1:80", "tcp://127.3.2.1:80"),
        ("tls://films.example", "tls://films.example:8786"),
    ],
)
def test_addresses(text: str, complete: str) -> None:
    assert scheduler_address(text) == complete


@pytest.mark.parametrize("text", ["", "ws://127.0.0.1", "127.0.0.1:99999", "a b:c", "tcp://"])
def test_invalid_addresses(text: str) -> None:
    with pytest.raises(UsageError):
        scheduler_address(text)


@pytest.mark.parametrize("text", ["10.0.0.1", "tcp://films:8786", "0.0.0.0", "127.0.0.1.evil.org"])
def test_open_addresses_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not encrypted"):
        scheduler_address(text)
    assert scheduler_address(text, insecure=True).startswith("tcp://")
