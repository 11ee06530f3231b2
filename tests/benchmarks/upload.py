"""Seconds from upload to result, over HTTP, on this machine; one film after the other.

    python -m tests.benchmarks.upload --films 10
    python -m tests.benchmarks.upload --url http://127.0.0.1:8000    # a server that runs already

Without `--url` it starts gunicorn as `make run` does. Figures depend on the machine and on what else it does: compare
those of one run only.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

from app.config import read_settings
from tests.support.phantom import draw_phantom, to_dicom, to_png
from tests.support.server import film_form, running_server


def main() -> None:
    """Parse the command line, and measure."""
    parser = argparse.ArgumentParser(description="Measure seconds from upload to result.")
    parser.add_argument("--url", help="a running server whose API is open; otherwise one is started")
    parser.add_argument("--films", type=int, default=10, help="uploads of each kind")
    options = parser.parse_args()
    if options.url:
        measure(options.url, options.films)
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = {"PLEURA_WEIGHTS": read_settings()["WEIGHTS"], "PLEURA_API": "open"}
        with running_server(Path(folder), **settings) as server:
            measure(server.url, options.films)


def measure(url: str, count: int) -> None:
    """Print the medians for each kind of film, after one upload that does not count."""
    films = {
        "PNG 1024², 8 bit": to_png(draw_phantom(seed=0, size=1024).image),
        "DICOM 2048², 12 bit": to_dicom(draw_phantom(seed=0, size=2048).image),
    }
    print(f"{count} uploads of each film; {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} before")
    print(f"{'film':<20} {'MiB':>5} {'median s':>9} {'min s':>7} {'max s':>7} {'of it, inference s':>19}")
    for name, film in films.items():
        upload(url, film)
        seconds, inference = zip(*(upload(url, film) for _ in range(count)), strict=True)
        print(
            f"{name:<20} {len(film) / 2**20:>5.1f} {statistics.median(seconds):>9.3f} {min(seconds):>7.3f} "
            f"{max(seconds):>7.3f} {statistics.median(inference):>19.3f}"
        )


def upload(url: str, film: bytes) -> tuple[float, float]:
    """Send a film; return the seconds until its answer was read, and those of the inference."""
    request = urllib.request.Request(f"{url}/api/v1/predictions", *film_form(film, "film"))
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=120) as response:
        answer = json.load(response)
    return time.perf_counter() - started, answer["timing_ms"]["inference"] / 1e3


if __name__ == "__main__":
    main()
