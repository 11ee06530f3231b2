"""How fast films are answered, beside the application that everybody writes, the bare network, the processor's peak.

    python -m tests.benchmarks.serving                # make bench
    python -m tests.benchmarks.serving --films 8      # a quick look; --memory_films 0 leaves the long part out

All is measured in one run, what is compared in turns, and told as ratios: the same machine is slower in company. The
load beside every part says how much company there was. docs/performance.md says what each line means.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import openvino

from app.config import ROOT, read_settings
from tests.benchmarks.clients import Load, send
from tests.support.phantom import draw_phantom, to_dicom, to_png
from tests.support.server import Server, running_server

ROUNDS = 4
CLIENTS = (1, 4, 16)
NAIVE = ("--config", os.devnull, "--timeout", "600", "--worker-class", "sync", "tests.benchmarks.naive_app:app")


def main() -> None:
    """Parse the command line, and measure."""
    parser = argparse.ArgumentParser(description="Measure how fast films are answered.")
    parser.add_argument("--films", type=int, default=40, help="films of each part")
    parser.add_argument("--memory_films", type=int, default=300, help="films after which memory is looked at; 0: not")
    options = parser.parse_args()
    png = to_png(draw_phantom(seed=0, size=1024).image)
    dicom = to_dicom(draw_phantom(seed=0, size=2048).image)
    print(f"{_processor()}, {len(os.sched_getaffinity(0))} cores, OpenVINO {openvino.__version__.split('-')[0]}")
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        settings = {"PLEURA_WEIGHTS": read_settings()["WEIGHTS"], "PLEURA_API": "open"}
        started = time.perf_counter()
        ours = stack.enter_context(running_server(folders[0], **settings))
        _tell("start to ready (one start)", f"{_seconds_to_ready(ours, started):.2f} s", worker_memory(ours))
        naive = stack.enter_context(running_server(folders[1], NAIVE))
        bare = stack.enter_context(bare_process())
        compare_alone(ours, naive, bare, png, dicom, options.films)
        compare_in_company(ours, naive, png, options.films)
        with busy_core():
            beside = send(ours.port, png, options.films)
        quiet = send(ours.port, png, options.films)
        _tell("p50 beside a busy core", f"{beside.median / quiet.median:.2f} × quiet", f"{1e3 * beside.median:.0f} ms")
        if options.memory_films:
            follow_memory(ours, png, options.memory_films)


def compare_alone(ours: Server, naive: Server, bare: subprocess.Popen, png: bytes, dicom: bytes, films: int) -> None:
    """Compare requests, one after the other, with the network alone and with the processor's peak."""
    parts = {"png": (Load(), ours, png), "dicom": (Load(), ours, dicom), "naive": (Load(), naive, png)}
    network, gemm = [], []
    for _, server, film in parts.values():  # nothing is warm yet
        send(server.port, film, 2)
    for _ in range(ROUNDS):
        network += ask(bare, "openvino", max(1, films // ROUNDS))
        gemm += ask(bare, "gemm", 3)
        for whole, server, film in parts.values():
            part = send(server.port, film, max(1, films // ROUNDS))
            whole.seconds += part.seconds
            whole.inference_seconds += part.inference_seconds
    bare_ms, peak, operations = statistics.median(network), statistics.median(gemm), ask(bare, "operations", 1)[0]
    share_of_peak = operations / (bare_ms / 1e3) / 1e9 / peak
    details = f"{bare_ms:.0f} ms; {operations / 1e9:.1f} GFLOP; gemm {peak:.0f} GFLOP/s"
    _tell("bare OpenVINO, both views", f"{share_of_peak:.0%} of the fp32 peak", details)
    for name, key in (("PNG 1024²", "png"), ("DICOM 2048², 12 bit", "dicom")):
        load, *_ = parts[key]
        details = f"{1e3 * load.median:.0f} ms, {load.around_the_network:.0%} of it around the network"
        _tell(f"request, {name}", f"{1e3 * load.median / bare_ms:.2f} × bare OpenVINO", details)
    slower = parts["naive"][0].median / parts["png"][0].median
    _tell("naive request, PNG 1024²", f"{slower:.2f} × ours", f"{1e3 * parts['naive'][0].median:.0f} ms, one view")


def compare_in_company(ours: Server, naive: Server, png: bytes, films: int) -> None:
    """Compare what clients get who come at once."""
    alone: dict[str, float] = {}
    for clients in CLIENTS:
        loads = {}
        for name, server in (("ours", ours), ("naive", naive)):
            loads[name] = load = send(server.port, png, max(films, 2 * clients), clients)
            alone.setdefault(name, load.per_second)
            details = f"{load.per_second:.2f} films/s, p95 {load.p95:.2f} s, told to wait {load.refusals} times"
            _tell(f"{name}, clients: {clients}", f"{load.per_second / alone[name]:.2f} × its own at 1", details)
        _tell("", f"{loads['ours'].per_second / loads['naive'].per_second:.2f} × naive's throughput", "")


def follow_memory(server: Server, film: bytes, films: int) -> None:
    """Tell what the worker holds after a third of the films, and after all of them."""
    first = films // 3
    send(server.port, film, first)
    early = worker_memory(server)
    send(server.port, film, films - first)
    _tell("resident memory of the worker", f"{worker_memory(server)} after {films} films", f"{early} after {first}")


def worker_memory(server: Server) -> str:
    """Resident memory of gunicorn's worker and of the process beside it that reads films."""
    pages = [_resident_mib(child) for child in _children(server.process.pid)]
    readers = [_resident_mib(child) for worker in _children(server.process.pid) for child in _children(worker)]
    return f"{sum(pages):.0f} MiB and {sum(readers):.0f} MiB for reading"


@contextmanager
def bare_process() -> Iterator[subprocess.Popen]:
    """Run `tests.benchmarks.bare`."""
    command = [sys.executable, "-m", "tests.benchmarks.bare"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        try:
            yield process
        finally:
            process.stdin.close()


def ask(bare: subprocess.Popen, name: str, count: int) -> list[float]:
    """Have the process measure something so often."""
    bare.stdin.write(f"{name} {count}\n")
    bare.stdin.flush()
    return json.loads(bare.stdout.readline())


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core busy."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        neighbour.kill()
        neighbour.wait()


def _seconds_to_ready(server: Server, started: float) -> float:
    urllib.request.urlopen(f"{server.url}/readyz", timeout=60).close()
    return time.perf_counter() - started


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor")


def _tell(what: str, figure: str, more: str) -> None:
    print(f"{what:<32} {figure:<32} {more:<64} load {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
