"""How fast an archive is answered: by one process, and by a Ray cluster of one and of two workers on this machine.

    python -m tests.benchmarks.archive FOLDER

Prints a table: films a second from the first row to the last, how many times that is what the bare network answers on
as many cores, and the peak memory of each process that answers. A Ray worker has one core; two are set beside both.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.config import ROOT

EVERY_SECONDS = 0.2
BARE_FILMS = 30
ALL_CORES, ONE_CORE = "0", "1"
WAYS = {
    "one process": (ALL_CORES, []),
    "Ray, 1 worker": (ONE_CORE, ["--ray", "here", "--workers", "1"]),
    "Ray, 2 workers": (ALL_CORES, ["--ray", "here", "--workers", "2"]),
}
"""By name: the threads of the bare network that it is compared with, and the command's flags."""
NAMES = {ALL_CORES: "the network alone, all cores", ONE_CORE: "the network alone, one thread"}


def main() -> None:
    """Measure each way, one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("films", type=Path, help="folder of films")
    films = parser.parse_args().films
    print("| | films | films a second | × bare network | peak memory of each, MiB |\n|---|---|---|---|---|")
    tables, alone = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (threads, options) in WAYS.items():
            if threads not in alone:
                alone[threads] = bare(threads)
                print(f"| {NAMES[threads]} | | {alone[threads]:.2f} | 1 | |", flush=True)
            out = Path(folder) / f"{len(tables)}.csv"
            films_a_second, peaks, rows = measure(films, out, options)
            tables.append(sorted(out.read_text().splitlines()))
            shown = ", ".join(f"{peak:.0f}" for peak in sorted(peaks))
            ratio = films_a_second / alone[threads]
            print(f"| {name} | {rows} | {films_a_second:.2f} | {ratio:.2f} | {shown} |", flush=True)
    print("same tables, sorted:", all(table == tables[0] for table in tables))


def bare(threads: str) -> float:
    """Return how many films a second the network answers, both views, with nothing around it."""
    own = {**os.environ, "PLEURA_THREADS": threads}
    command = [sys.executable, "-m", "tests.benchmarks.bare"]
    asked = f"openvino {BARE_FILMS}\n"
    done = subprocess.run(command, cwd=ROOT, env=own, input=asked, capture_output=True, text=True, check=True)
    return 1000 / statistics.median(json.loads(done.stdout.splitlines()[-1]))


def measure(films: Path, out: Path, options: list[str]) -> tuple[float, list[float], int]:
    """Answer a folder, and return films a second, the peak memory of who answered, and how many rows there are."""
    own = {**os.environ, "PLEURA_THREADS": "0"}
    command = [sys.executable, "-m", "app.batch", str(films), "--out", str(out), *options]
    process = subprocess.Popen(command, cwd=ROOT, env=own, stderr=subprocess.DEVNULL)
    peaks: dict[int, float] = {}
    first = last = 0.0
    begun = seen = 0
    while process.poll() is None:
        time.sleep(EVERY_SECONDS)
        rows = max(0, out.read_text().count("\n") - 1) if out.exists() else 0
        if rows and not seen:
            begun, first = rows, time.monotonic()
        if rows > seen:
            seen, last = rows, time.monotonic()
        peaks |= _peaks(process.pid if not options else 0)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}.")
    return (seen - begun) / max(last - first, EVERY_SECONDS), list(peaks.values()), seen


def _peaks(pid: int) -> dict[int, float]:
    """Read the peak memory, in MiB, of a process, or of every worker of Ray that answers films."""
    found = {}
    for folder in [Path(f"/proc/{pid}")] if pid else Path("/proc").glob("[0-9]*"):
        try:
            is_worker = pid or "MapBatches(Worker)" in (folder / "cmdline").read_text()
            lines = (folder / "status").read_text().splitlines() if is_worker else []
        except OSError:
            continue
        found |= {int(folder.name): int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")}
    return found


if __name__ == "__main__":
    main()
