"""Clients that send films over HTTP at once, and wait where they are told to."""

import http.client
import itertools
import json
import statistics
import threading
import time
from dataclasses import dataclass, field

from tests.support.server import film_form

LONGEST_WAIT_SECONDS = 600


@dataclass
class Load:
    """What clients saw.

    Attributes:
        seconds: Of each film, from the first attempt to its answer.
        inference_seconds: Of these, in the network, where the answer says so.
        refusals: How often a client was told to come back later.
        elapsed: Seconds from the first film to the last answer.
    """

    seconds: list[float] = field(default_factory=list)
    inference_seconds: list[float] = field(default_factory=list)
    refusals: int = 0
    elapsed: float = 0.0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return sorted(self.seconds)[max(0, round(0.95 * len(self.seconds)) - 1)]

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.elapsed

    @property
    def around_the_network(self) -> float:
        """Share of a request that is not spent in the network."""
        return 1 - sum(self.inference_seconds) / sum(self.seconds)


def send(port: int, film: bytes, count: int, clients: int = 1) -> Load:
    """Send a film so often, by so many clients at once.

    Raises:
        RuntimeError: If a film got no answer.
    """
    load, lock, left = Load(), threading.Lock(), iter(range(count))
    body, headers = film_form(film, "film")

    def client() -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    return
            started = time.perf_counter()
            answer, refusals = _answer(port, body, headers)
            with lock:
                load.seconds.append(time.perf_counter() - started)
                load.refusals += refusals
                if "timing_ms" in answer:
                    load.inference_seconds.append(answer["timing_ms"]["inference"] / 1e3)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.elapsed = time.perf_counter() - started
    if len(load.seconds) < count:
        raise RuntimeError(f"Of {count} films {len(load.seconds)} were answered.")
    return load


def _answer(port: int, body: bytes, headers: dict[str, str]) -> tuple[dict, int]:
    """Return the answer, and how often it was refused before."""
    for refusals in itertools.count():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_WAIT_SECONDS)
        connection.request("POST", "/api/v1/predictions", body, headers)
        response = connection.getresponse()
        text, wait = response.read(), int(response.headers.get("Retry-After", 1))
        connection.close()
        if response.status == 200:
            return json.loads(text), refusals
        if response.status != 503:
            raise RuntimeError(f"{response.status}: {text[:300]!r}")
        time.sleep(wait)
    raise AssertionError("there are always more numbers")
