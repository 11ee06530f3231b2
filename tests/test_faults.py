"""Faults of a real server: what is killed, stopped or taken away while it works."""

import contextlib
import http.client
import json
import os
import select
import shutil
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.film_files import to_png
from tests.support.server import Server, film_form, running_server
from training.releasing.phantom.drawing import draw_phantom

FILM = to_png(draw_phantom(1, 512).image)


@pytest.fixture
def server(checkpoint_path, tmp_path):
    settings = {"PLEURA_WEIGHTS": str(checkpoint_path), "PLEURA_API": "open", "PLEURA_RATE_LIMIT": ""}
    with running_server(tmp_path, **settings) as running:
        yield running


def send(server: Server) -> int:
    """Send a film; return the status, 0 where the connection was refused or closed."""
    request = urllib.request.Request(f"{server.url}/api/v1/predictions", *film_form(FILM, "film.png"))
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException):
        return 0


def children(pid: int) -> list[int]:
    """Process ids of a process's children."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def test_a_killed_reading_process_costs_nothing(server):
    assert send(server) == 200
    (worker,) = children(server.process.pid)
    (reader,) = children(worker)
    with contextlib.closing(os.fdopen(os.pidfd_open(reader))) as watch:
        os.kill(reader, signal.SIGKILL)
        assert select.select([watch], [], [], 30)[0], "it is not dead yet"
    assert send(server) == 200
    assert children(worker) != [reader]


def test_a_killed_worker_is_replaced_and_its_reading_process_ends(server):
    assert send(server) == 200
    (worker,) = children(server.process.pid)
    (reader,) = children(worker)
    watch = os.pidfd_open(reader)
    os.kill(worker, signal.SIGKILL)
    until = time.monotonic() + 90
    while send(server) != 200:
        assert time.monotonic() < until, server.log()
        time.sleep(0.5)
    with contextlib.closing(os.fdopen(watch)), pytest.raises(ProcessLookupError):
        signal.pidfd_send_signal(watch, 0)


def test_sigterm_among_sixteen_uploads_loses_none_that_was_taken(server):
    assert send(server) == 200
    with ThreadPoolExecutor(16) as threads:
        sent = [threads.submit(send, server) for _ in range(16)]
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        statuses = [one.result(timeout=120) for one in sent]
    assert server.process.wait(timeout=90) == 0
    assert set(statuses) <= {200, 503, 0}
    assert statuses.count(200) >= 1


def test_a_locked_database_is_told(checkpoint_path, tmp_path):
    file = tmp_path / "studies.sqlite"
    settings = {"PLEURA_WEIGHTS": str(checkpoint_path), "PLEURA_API": "open"}
    with running_server(tmp_path, PLEURA_DATABASE_URL=f"sqlite:///{file}?timeout=0.5", **settings) as server:
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert send(server) == 200  # the API keeps nothing; its deed goes into the log
            assert urllib.request.urlopen(f"{server.url}/healthz", timeout=30).status == 200
            other.execute("ROLLBACK")
        assert "Not in the audit trail: anybody asked" in server.log()


def test_weights_swapped_under_it_are_told(checkpoint_path, tmp_path):
    weights = Path(shutil.copy(checkpoint_path, tmp_path / "tiny.safetensors"))
    with running_server(tmp_path, PLEURA_WEIGHTS=str(weights), PLEURA_API="open") as server:
        weights.write_bytes(weights.read_bytes()[:-1] + b"!")
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"{server.url}/readyz", timeout=60)
        assert "no longer the one that was loaded" in json.load(refusal.value)["reason"]


def test_fifty_clients_that_hang_up_leave_a_sound_server(server):
    body, headers = film_form(FILM, "film.png")
    for _ in range(50):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.putrequest("POST", "/api/v1/predictions")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body[: len(body) // 2])
        connection.close()
    assert send(server) == 200
    assert "Traceback" not in server.log()
