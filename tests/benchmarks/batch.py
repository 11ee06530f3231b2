"""How fast a folder of films is answered beside the bare network, and what memory that takes.

    python -m tests.benchmarks.batch                             # synthetic films of 1024² pixels
    python -m tests.benchmarks.batch --films FOLDER --count 100  # the first hundred of a folder

docs/archive.md has the figures. Compare the ratio: the bare network is measured before the films and after them.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.config import ROOT
from tests.benchmarks.serving import ask, bare_process, children, resident_mib
from tests.support.phantom import draw_phantom, to_png

BARE_FILMS = 20
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Sample:
    """How many rows the table had at a time, and what the processes held then."""

    at: float
    rows: int
    mib: float


def main() -> None:
    """Parse the command line, and measure."""
    parser = argparse.ArgumentParser(description="Measure how fast a folder of films is answered.")
    parser.add_argument("--films", type=Path, help="folder of films; synthetic ones without it")
    parser.add_argument("--count", type=int, default=100, help="how many films")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, bare_process() as bare:
        films = Path(folder) / "films"
        films.mkdir()
        gather(options.films, options.count, films)
        bare_ms = ask(bare, "openvino", BARE_FILMS)
        samples = follow(films, Path(folder) / "results.csv")
        bare_ms += ask(bare, "openvino", BARE_FILMS)
    milestones = (1, options.count // 3, samples[-1].rows)
    first, third, last = (next(sample for sample in samples if sample.rows >= rows) for rows in milestones)
    per_second, bare_per_second = (last.rows - first.rows) / (last.at - first.at), 1e3 / statistics.mean(bare_ms)
    print(f"{per_second:.2f} films/s, {per_second / bare_per_second:.2f} × the bare network's {bare_per_second:.2f}")
    print(f"resident {last.mib:.0f} MiB after {last.rows} films, {third.mib:.0f} MiB after {third.rows}")
    print(f"load {os.getloadavg()[0]:.1f}")


def gather(source: Path | None, count: int, films: Path) -> None:
    """Put so many films into a folder: links to those of another one, or drawn."""
    if source is None:
        for seed in range(count):
            (films / f"{seed:04d}.png").write_bytes(to_png(draw_phantom(seed=seed, size=1024).image))
        return
    for path in sorted(path for path in source.iterdir() if path.is_file())[:count]:
        (films / path.name).symlink_to(path.resolve())


def follow(films: Path, table: Path) -> list[Sample]:
    """Answer a folder of films, and look every so often how far it is."""
    command = [sys.executable, "-m", "app.batch", str(films), "--out", str(table)]
    samples = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            rows = table.read_bytes().count(b"\n") - 1 if table.is_file() else 0
            with suppress(OSError):  # a process may end between two looks
                held = sum(resident_mib(one) for one in (process.pid, *children(process.pid)))
                samples.append(Sample(time.perf_counter(), rows, held))
            time.sleep(POLL_SECONDS)
    if process.returncode:
        raise RuntimeError(f"The batch ended with {process.returncode}.")
    return samples


if __name__ == "__main__":
    main()
