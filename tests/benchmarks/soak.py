"""Mixed load for half an hour, and what the server's memory does: `python -m tests.benchmarks.soak --minutes 30`.

Sound films of several sizes and damaged ones through the API; films of a browser session, each looked at, exported and
deleted, but some left to their time; pages; one after another. Writes a line a minute: minutes, requests, MiB of the
worker and of the process that reads films, and of the database.
"""

import argparse
import collections
import os
import random
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.benchmarks.crowd import Browser, exports_in, film_in
from tests.fuzz.mutations import mutated, seeds
from tests.support.film_files import to_dicom, to_png
from tests.support.processes import children, memory_mib
from tests.support.server import Server, film_form, running_server
from training.releasing.phantom.drawing import draw_phantom

KEPT_MINUTES = "5"
"""For which the server keeps films, so that purging is part of the load."""


def main() -> None:
    """Load a server of the released model."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between requests")
    arguments = parser.parse_args()
    films = [to_png(draw_phantom(1, 512).image), *(to_dicom(draw_phantom(2, side).image) for side in (1024, 2048))]
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "PLEURA_API": "open",
            "PLEURA_RATE_LIMIT": "",
            "PLEURA_RETENTION_MINUTES": KEPT_MINUTES,
            "MALLOC_ARENA_MAX": "2",
        }
        with running_server(Path(folder), **settings) as server:
            _load(server, films, seeds(), arguments.minutes, arguments.pause, Path(folder) / "studies.sqlite")


def _load(server: Server, films: list[bytes], sound: list[bytes], minutes: float, pause: float, database: Path) -> None:
    started, told, random_ = time.monotonic(), 0.0, random.Random(1)
    answers: collections.Counter[int] = collections.Counter()
    browser = Browser(server.port)
    browser.open()
    while (now := time.monotonic() - started) < 60 * minutes:
        kind = random_.random()
        if kind < 0.5:
            answers[_ask(server, "/api/v1/predictions", film_form(random_.choice(films), "film"))] += 1
        elif kind < 0.8:
            answers[_ask(server, "/api/v1/predictions", film_form(mutated(sound, random_), "film"))] += 1
        elif kind < 0.9:
            answers.update(_as_a_reader(browser, random_.choice(films), random_))
        else:
            answers[_ask(server, random_.choice(("/", "/healthz", "/readyz", "/worklist.csv", "/nowhere")))] += 1
        if now - told >= 60:
            told = now
            (worker,) = children(server.process.pid)
            sizes = [memory_mib(worker), *(memory_mib(reader) for reader in children(worker))]
            figures = " ".join(f"{size:.0f}" for size in sizes)
            print(f"{now / 60:.0f} {answers.total()} {figures} {os.path.getsize(database) / 2**20:.1f}", flush=True)
        time.sleep(pause)
    print(dict(answers))


def _as_a_reader(browser: Browser, film: bytes, random_: random.Random) -> list[int]:
    """Send a film to the page, look at it, ask for one of its exports and, mostly, delete it; return the statuses."""
    status, _, text = browser.send(film)
    if not (place := film_in(text)):
        return [status]
    looked, _, page = browser.ask(place, name="page")
    statuses = [status, looked, browser.ask(random_.choice(exports_in(page)), name="export")[0]]
    if random_.random() < 0.8:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        statuses.append(browser.ask(f"{place}/delete", f"csrf_token={browser.token}".encode(), form, "delete")[0])
    browser.seconds.clear()
    return statuses


def _ask(server: Server, path: str, form: tuple[bytes, dict[str, str]] | None = None) -> int:
    request = urllib.request.Request(server.url + path, *(form or ()))
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


if __name__ == "__main__":
    main()
