"""How fast films are answered, beside the application that everybody writes, the bare network, the processor's peak.

    python -m tests.benchmarks.serving                       # make bench
    python -m tests.benchmarks.serving --films 8             # a quick look
    python -m tests.benchmarks.serving --parts start memory  # some of it only
    python -m tests.benchmarks.serving --engine torch        # what OpenVINO is worth

All is measured in one run, what is compared in turns, and told as ratios: the same machine is slower in company. The
load beside every part says how much company there was. docs/performance.md says what each line means.
"""

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import openvino

from app.config import ROOT, read_settings
from app.segmentation.engines import ENGINES
from tests.benchmarks.clients import Load, send
from tests.support.film_files import to_dicom, to_png
from tests.support.processes import children, memory_mib
from tests.support.server import Server, running_server
from training.releasing.phantom.drawing import draw_phantom

ROUNDS = 4
STARTS = 3
CLIENTS = (1, 4, 16)
OURS = ("wsgi:app",)
NAIVE = ("--config", os.devnull, "--timeout", "600", "--worker-class", "sync", "tests.benchmarks.naive_app:app")
OF_OPENMP = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")
"""Set by who knows that PyTorch needs it: by our own server for itself, and by nobody for the naive application."""


def main() -> None:
    """Parse the command line, and measure."""
    parser = argparse.ArgumentParser(description="Measure how fast films are answered.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=tuple(PARTS), help="what to measure, if not all")
    parser.add_argument("--films", type=int, default=40, help="films of each part")
    parser.add_argument("--memory_films", type=int, default=300, help="films after which memory is looked at")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="what answers films in our application")
    options = parser.parse_args()
    for name in OF_OPENMP:
        os.environ.pop(name, None)
    print(f"{_processor()}, {len(os.sched_getaffinity(0))} cores, OpenVINO {openvino.__version__.split('-')[0]}")
    for part in options.parts:
        PARTS[part](options)


def measure_start(options: argparse.Namespace) -> None:
    """Start the server so often, and wait until its canary got the right answer."""
    seconds = []
    for _ in range(STARTS):
        started = time.perf_counter()
        with serving(OURS, options.engine) as server:
            urllib.request.urlopen(f"{server.url}/readyz", timeout=60).close()
            seconds.append(time.perf_counter() - started)
    _tell("start to ready", f"{statistics.median(seconds):.2f} s", f"{min(seconds):.2f} to {max(seconds):.2f} s")


def compare_alone(options: argparse.Namespace) -> None:
    """Compare requests, one after the other, with the network alone and with the processor's peak."""
    with serving(OURS, options.engine) as ours, serving(NAIVE) as naive, bare_process() as bare:
        parts = {
            "png": (Load(), ours, film_png()),
            "dicom": (Load(), ours, film_dicom()),
            "naive": (Load(), naive, film_png()),
        }
        network, gemm = [], []
        for _, server, film in parts.values():  # nothing is warm yet
            send(server.port, film, 2)
        for _ in range(ROUNDS):
            network += ask(bare, "openvino", max(1, options.films // ROUNDS))
            gemm += ask(bare, "gemm", 3)
            for whole, server, film in parts.values():
                part = send(server.port, film, max(1, options.films // ROUNDS))
                whole.seconds += part.seconds
                whole.inference_seconds += part.inference_seconds
        operations = ask(bare, "operations", 1)[0]
    tell_alone({name: load for name, (load, *_) in parts.items()}, network, statistics.median(gemm), operations)


def tell_alone(loads: dict[str, Load], network: Sequence[float], peak: float, operations: float) -> None:
    """Tell how requests compare with the network's milliseconds, and these with the processor's peak in GFLOP/s."""
    bare_ms = statistics.median(network)
    share_of_peak = operations / (bare_ms / 1e3) / 1e9 / peak
    details = f"{bare_ms:.0f} ms; {operations / 1e9:.1f} GFLOP; gemm {peak:.0f} GFLOP/s"
    _tell("bare OpenVINO, both views", f"{share_of_peak:.0%} of the fp32 peak", details)
    for name, key in (("PNG 1024²", "png"), ("DICOM 2048², 12 bit", "dicom")):
        load = loads[key]
        details = f"{1e3 * load.median:.0f} ms, {load.around_the_network:.0%} of it around the network"
        _tell(f"request, {name}", f"{1e3 * load.median / bare_ms:.2f} × bare OpenVINO", details)
    slower = loads["naive"].median / loads["png"].median
    _tell("naive request, PNG 1024²", f"{slower:.2f} × ours", f"{1e3 * loads['naive'].median:.0f} ms, one view")


def compare_in_company(options: argparse.Namespace) -> None:
    """Compare what clients get who come at once."""
    with serving(OURS, options.engine) as ours, serving(NAIVE) as naive:
        send_at_once({"ours": ours, "naive": naive}, options.films, "")
        one, four = (send(ours.port, film_dicom(), options.films, clients) for clients in (1, 4))
        details = f"{four.per_second:.2f} films/s: the next film is read while one is answered"
        _tell("ours, DICOM, clients: 4", f"{four.per_second / one.per_second:.2f} × its own at 1", details)


def compare_beside_a_neighbour(options: argparse.Namespace) -> None:
    """Compare what clients get while another process keeps a core busy."""
    with serving(OURS, options.engine) as ours, serving(NAIVE) as naive:
        quiet = {server.port: send(server.port, film_png(), options.films // 2) for server in (ours, naive)}
        with busy_core():
            beside = send_at_once({"ours": ours, "naive": naive}, options.films // 2, " beside a busy core")
        for name, server in (("ours", ours), ("naive", naive)):
            slower = beside[name].median / quiet[server.port].median
            details = f"{1e3 * beside[name].median:.0f} ms, {1e3 * quiet[server.port].median:.0f} ms without"
            _tell(f"{name}, p50 beside a busy core", f"{slower:.2f} × quiet", details)


def send_at_once(servers: dict[str, Server], films: int, where: str) -> dict[str, Load]:
    """Send films to each server by one client and by several, and tell it; return what one client got."""
    alone: dict[str, Load] = {}
    for clients in CLIENTS:
        loads = {}
        for name, server in servers.items():
            loads[name] = load = send(server.port, film_png(), max(films, 2 * clients), clients)
            alone.setdefault(name, load)
            details = f"{load.per_second:.2f} films/s, p95 {load.p95:.2f} s, told to wait {load.refusals} times"
            ratio = load.per_second / alone[name].per_second
            _tell(f"{name}, clients: {clients}{where}", f"{ratio:.2f} × its own at 1", details)
        _tell("", f"{loads['ours'].per_second / loads['naive'].per_second:.2f} × naive's throughput", "")
    return alone


def follow_memory(options: argparse.Namespace) -> None:
    """Tell what the worker holds after a third of the films, and after all of them."""
    films, first = options.memory_films, options.memory_films // 3
    with serving(OURS, options.engine) as server:
        send(server.port, film_png(), first)
        early = worker_memory(server)
        send(server.port, film_png(), films - first)
        late = worker_memory(server)
    _tell("resident memory of the worker", f"{late} after {films} films", f"{early} after {first}")


PARTS = {
    "start": measure_start,
    "alone": compare_alone,
    "company": compare_in_company,
    "neighbour": compare_beside_a_neighbour,
    "memory": follow_memory,
}


@functools.cache
def film_png() -> bytes:
    """Draw a film of 1024² pixels."""
    return to_png(draw_phantom(seed=0, size=1024).image)


@functools.cache
def film_dicom() -> bytes:
    """Draw a film of 2048² pixels of 12 bits."""
    return to_dicom(draw_phantom(seed=0, size=2048).image)


@contextmanager
def serving(arguments: Sequence[str], engine: str = "auto") -> Iterator[Server]:
    """Serve films as `make run` does, by the released weights, to clients that may send any number of them."""
    settings = {"PLEURA_WEIGHTS": read_settings()["WEIGHTS"], "PLEURA_API": "open", "MALLOC_ARENA_MAX": "2"}
    settings |= {"PLEURA_ENGINE": engine, "PLEURA_RATE_LIMIT": ""}
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder), arguments, **settings) as server:
        yield server


def worker_memory(server: Server) -> str:
    """Resident memory of gunicorn's worker and of the process beside it that reads films."""
    pages = [memory_mib(child) for child in children(server.process.pid)]
    readers = [memory_mib(child) for worker in children(server.process.pid) for child in children(worker)]
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


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor")


def _tell(what: str, figure: str, more: str) -> None:
    print(f"{what:<32} {figure:<32} {more:<64} load {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
