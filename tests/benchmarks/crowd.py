"""Sixteen browsers send films at once: what everybody else waits for. `python -m tests.benchmarks.crowd --seconds 60`.

Each browser sends films of its own session as the page does, and comes back when it is told to. Beside them one reader
with films of their own asks for the list, a result and the film, and a probe for `/healthz`. Everybody is a process of
their own, so that no client waits for another one's Python. Those who send films give way to the server, as far as the
system lets them: other people's browsers do not run on its processor.
"""

import argparse
import collections
import http.client
import io
import multiprocessing
import os
import random
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from tests.support.film_files import to_dicom, to_png
from tests.support.forms import token_in
from tests.support.server import running_server
from training.releasing.phantom.drawing import draw_phantom

LOWEST = 19
"""Precedence of whoever sends films."""


@dataclass
class Browser:
    """One session of the pages."""

    port: int
    cookie: str = ""
    token: str = ""
    seconds: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))

    def ask(self, path: str, body: bytes = b"", headers: dict[str, str] | None = None, name: str = "") -> tuple:
        """Send a request; return status, headers and body, and note how long it took."""
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        sent = {"Cookie": self.cookie, **(headers or {})}
        connection.request("POST" if body else "GET", path, body or None, sent)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.seconds[name or path].append(time.perf_counter() - started)
        if cookie := answer.headers.get("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        return answer.status, answer.headers, text

    def open(self) -> None:
        """Load the start page."""
        _, _, text = self.ask("/", name="start page")
        self.token = token_in(text.decode())

    def send(self, film: bytes) -> tuple:
        """Send a film as the page's script does."""
        boundary, body = encode_multipart({"films": FileStorage(io.BytesIO(film), "film")})
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "X-CSRFToken": self.token,
            "X-Requested-With": "XMLHttpRequest",
        }
        return self.ask("/studies", body, headers, "upload")


def film_in(text: bytes) -> str:
    """Address of the first film that a page links to; empty where it links to none."""
    found = re.search(rb'href="(/studies/[\w-]+)"', text)
    return found[1].decode() if found else ""


def exports_in(page: bytes) -> list[str]:
    """Addresses of the exports that a film's page links to."""
    return sorted({*re.findall(r"/studies/[\w-]+/exports/[\w.-]+", page.decode())})


def upload(port: int, film: bytes, until: float, told: multiprocessing.Queue) -> None:
    """Send films until the time is over; tell how each attempt ended."""
    os.nice(LOWEST)
    browser, outcomes, waits = Browser(port), collections.Counter(), []
    browser.open()
    first = time.perf_counter()
    while time.time() < until:
        status, headers, _ = browser.send(film)
        outcomes[status] += 1
        if status == 201:
            waits.append(time.perf_counter() - first)
            first = time.perf_counter()
        if after := headers.get("Retry-After"):
            outcomes["Retry-After"] += 1
            time.sleep(int(after) * (1 + random.random()))
    told.put((outcomes, waits))


def export(port: int, film: bytes, until: float, told: multiprocessing.Queue) -> None:
    """Ask for the report of a film of one's own, again and again; tell how each attempt ended."""
    os.nice(LOWEST)
    browser, outcomes, waits = Browser(port), collections.Counter(), []
    browser.open()
    while not (place := film_in(browser.send(film)[2])):
        pass
    while time.time() < until:
        status, headers, _ = browser.ask(f"{place}/exports/report.pdf", name="report")
        outcomes[f"report {status}"] += 1
        if after := headers.get("Retry-After"):
            time.sleep(int(after) * (1 + random.random()))
    told.put((outcomes, waits))


def look(port: int, browser: Browser | None, paths: list[str], until: float, told: multiprocessing.Queue) -> None:
    """Ask for pages in turn until the time is over; tell how long each took."""
    browser = browser or Browser(port)
    while time.time() < until:
        for path in paths:
            browser.ask(path)
        time.sleep(0.2)
    told.put(dict(browser.seconds))


def main() -> None:
    """Load a server of the released model, and print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.crowd", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--browsers", type=int, default=16)
    parser.add_argument("--exporters", type=int, default=0, help="browsers that ask for reports all the time")
    parser.add_argument("--side", type=int, default=2048)
    arguments = parser.parse_args()
    film = to_dicom(draw_phantom(1, arguments.side).image)
    small = to_png(draw_phantom(2, 512).image)
    settings = {"PLEURA_RATE_LIMIT": "", "MALLOC_ARENA_MAX": "2"}
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder), **settings) as server:
        reader = Browser(server.port)
        reader.open()
        for _ in range(5):
            reader.send(small)
        place = film_in(reader.ask("/")[2])
        reader.seconds.clear()
        crowd(server.port, film, arguments, reader, ["/", place, f"{place}/film.png"])
        if "Traceback" in server.log():
            print(server.log()[-3000:])


def crowd(port: int, film: bytes, arguments: argparse.Namespace, reader: Browser, paths: list[str]) -> None:
    """Let everybody loose, and print a line for each thing that was asked for."""
    context = multiprocessing.get_context("fork")
    until = time.time() + arguments.seconds
    uploads, looks = context.Queue(), context.Queue()
    processes = [context.Process(target=upload, args=(port, film, until, uploads)) for _ in range(arguments.browsers)]
    processes += [
        context.Process(target=export, args=(port, to_png(draw_phantom(3, 512).image), until, uploads))
        for _ in range(arguments.exporters)
    ]
    processes += [
        context.Process(target=look, args=(port, who, what, until, looks))
        for who, what in ((reader, paths), (None, ["/healthz"]))
    ]
    for process in processes:
        process.start()
    seen = {}
    for _ in range(2):
        seen |= looks.get()
    outcomes, counts, waits = collections.Counter(), [], []
    for _ in range(arguments.browsers + arguments.exporters):
        one, mine = uploads.get()
        outcomes += one
        counts += [one[201]] if mine else []
        waits += mine
    for process in processes:
        process.join()
    print(
        f"{arguments.browsers} browsers, {arguments.exporters} of reports, {arguments.seconds:.0f} s, "
        f"films of {len(film) / 2**20:.1f} MiB, load {os.getloadavg()[0]:.1f}"
    )
    print(f"answers {dict(outcomes)}; films of a browser {min(counts, default=0)} to {max(counts, default=0)}")
    seen["a film, attempts and waiting"] = waits
    for name, seconds in seen.items():
        name = "film.png" if name.endswith("film.png") else "result" if name.startswith("/studies") else name
        ordered = sorted(seconds)
        at = {share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99)}
        print(
            f"{name:<30} {len(ordered):5} times  p50 {at[0.5]:.3f} s  p95 {at[0.95]:.3f} s  p99 {at[0.99]:.3f} s  "
            f"max {ordered[-1]:.3f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
