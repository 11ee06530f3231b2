"""What only a real gunicorn shows: how it starts, what it logs, how it stops."""

import http.client
import http.server
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.config import ROOT, read_settings
from app.segmentation.reading.radiograph import MAX_BYTES
from tests.support.film_files import to_png
from tests.support.server import film_form, running_server, start_server
from training.releasing.phantom.drawing import draw_phantom


@pytest.fixture(scope="module")
def film():
    return to_png(draw_phantom(seed=1, size=256).image)


@pytest.fixture
def configuration(monkeypatch):
    """gunicorn.conf.py as a module, on a machine of four cores, without settings."""
    specification = importlib.util.spec_from_file_location("gunicorn_conf", ROOT / "gunicorn.conf.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setattr(module, "available_cores", lambda: 4)
    for name in ("SECRET_KEY", "THREADS", "PRODUCTION", "HOSTS", "API", "API_TOKEN"):
        monkeypatch.setenv(f"PLEURA_{name}", "")
    return module


def master(workers: int, address: str = "127.0.0.1") -> SimpleNamespace:
    warnings = []
    log = SimpleNamespace(warning=lambda text, *values: warnings.append(text % values))
    cfg = SimpleNamespace(workers=workers, address=[(address, 8000)])
    return SimpleNamespace(cfg=cfg, log=log, warnings=warnings)


@pytest.mark.parametrize(("workers", "threads"), [(1, 4), (2, 2), (3, 1), (8, 1)])
def test_workers_share_the_cores(configuration, workers, threads):
    configuration.on_starting(master(workers))
    assert read_settings()["THREADS"] == threads


def test_chosen_threads_are_kept_and_excess_is_told(configuration, monkeypatch):
    monkeypatch.setenv("PLEURA_THREADS", "3")
    modest, greedy = master(workers=1), master(workers=2)
    configuration.on_starting(modest)
    configuration.on_starting(greedy)
    assert read_settings()["THREADS"] == 3
    assert not modest.warnings
    assert "exceed 4 cores" in greedy.warnings[0]


def test_a_bare_server_open_to_others_is_warned_of(configuration, monkeypatch):
    bare, local, behind = master(1, "0.0.0.0"), master(1), master(1, "0.0.0.0")
    configuration.on_starting(bare)
    configuration.on_starting(local)
    monkeypatch.setenv("PLEURA_PROXIES", "1")
    configuration.on_starting(behind)
    assert "clients that stall" in bare.warnings[0]
    assert not local.warnings + behind.warnings


def test_production_without_hosts_is_warned_of(configuration, monkeypatch):
    monkeypatch.setenv("PLEURA_PRODUCTION", "1")
    monkeypatch.setenv("PLEURA_SECRET_KEY", "x" * 32)
    nameless, named = master(1), master(1)
    configuration.on_starting(nameless)
    monkeypatch.setenv("PLEURA_HOSTS", "pleura.example.org")
    configuration.on_starting(named)
    assert "PLEURA_HOSTS names no host" in nameless.warnings[0]
    assert not named.warnings


def test_workers_share_a_secret_drawn_at_each_start(configuration, monkeypatch):
    configuration.on_starting(master(workers=2))
    first = read_settings()["SECRET_KEY"]
    assert len(first) >= 32
    monkeypatch.setenv("PLEURA_SECRET_KEY", "")
    configuration.on_starting(master(workers=2))
    assert read_settings()["SECRET_KEY"] != first


def test_counts_are_shared_where_no_upload_fills_the_disk(configuration, monkeypatch, tmp_path):
    monkeypatch.setenv("PLEURA_MONITORING_TOKEN", "x" * 32)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    assert configuration.SHARED_MEMORY == "/dev/shm"
    monkeypatch.setattr(configuration, "SHARED_MEMORY", str(tmp_path))
    configuration.on_starting(master(workers=1))
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    assert folder.parent == tmp_path and folder.is_dir()
    configuration.on_exit(None)
    assert not folder.exists()
    monkeypatch.setattr(configuration, "SHARED_MEMORY", str(tmp_path / "none"))
    configuration.on_starting(master(workers=1))
    assert Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).parent == Path(tempfile.gettempdir())
    configuration.on_exit(None)


def test_chosen_secret_is_kept(configuration, monkeypatch):
    monkeypatch.setenv("PLEURA_SECRET_KEY", "mine")
    configuration.on_starting(master(workers=1))
    assert read_settings()["SECRET_KEY"] == "mine"


@pytest.mark.parametrize(
    ("limits", "cores"),
    [
        ({}, 8),
        ({"": "max 100000"}, 8),
        ({"": "200000 100000"}, 2),
        ({"": "50000 100000"}, 1),
        ({"slice/service": "350000 100000"}, 3),
        ({"slice": "200000 100000", "slice/service": "max 100000"}, 2),
    ],
)
def test_cores_of_a_container(configuration, monkeypatch, tmp_path, limits, cores):
    monkeypatch.undo()  # brings the real available_cores back
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    for group, limit in limits.items():
        (tmp_path / group).mkdir(parents=True, exist_ok=True)
        (tmp_path / group / "cpu.max").write_text(limit + "\n")
    membership = tmp_path / "membership"
    membership.write_text("1:cpu:/old\n0::/slice/service\n")
    assert configuration.available_cores(tmp_path, membership) == cores


def test_bad_setting_stops_the_start_with_a_sentence(tmp_path):
    server = start_server(tmp_path, PLEURA_API="yes")
    assert server.process.wait(timeout=60) != 0
    assert "Pleura cannot start. PLEURA_API must be one of off, token, open, not 'yes'." in server.log()
    assert "Traceback" not in server.log()


def test_missing_weights_stop_the_start(tmp_path):
    server = start_server(tmp_path, PLEURA_WEIGHTS=str(tmp_path / "none.safetensors"))
    assert server.process.wait(timeout=60) != 0
    assert "Pleura cannot start. No weights at" in server.log()
    assert "Traceback" not in server.log()


def test_a_graph_of_other_weights_stops_the_start(checkpoint_path, tmp_path):
    weights = tmp_path / "pleura.safetensors"
    shutil.copy(checkpoint_path, weights)
    shutil.copy(ROOT / "model_weights" / "pleura.openvino", tmp_path)
    server = start_server(tmp_path, PLEURA_WEIGHTS=str(weights))
    assert server.process.wait(timeout=60) != 0
    assert "belongs to other weights; make it again with" in server.log()
    assert "Traceback" not in server.log()


@pytest.fixture(scope="module")
def server(checkpoint_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, PLEURA_WEIGHTS=str(checkpoint_path), PLEURA_API="open") as running:
        yield running


def test_film_is_answered_and_not_named_in_the_log(server, film):
    body, headers = film_form(film, "Doe^Jane.png")
    request = urllib.request.Request(f"{server.url}/api/v1/predictions?name=Doe", body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["mask"]["width"] == 256
    server.wait_for(r"POST /api/v1/predictions 200")
    assert "Doe" not in server.log()


def test_no_line_of_the_log_is_forged(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(
            b"GET /a%0d%0a127.0.0.1%20GET%20/forged%1b[2J%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        assert b" 404 " in client.recv(4096)
    server.wait_for(r"GET /a%0D%0A127")
    assert not re.search(r"[\x00\x1b]|^127.0.0.1 GET /forged", server.log(), re.MULTILINE)


def test_too_large_a_film_is_refused_in_words(server):
    """The refusal must reach a client that is still sending, not break its connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/api/v1/predictions", *film_form(bytes(MAX_BYTES + 1), "large.png"))
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Content-Type")) == (413, "application/problem+json")
    assert json.load(answer)["code"] == "file_too_large"
    connection.close()


def test_request_in_flight_is_finished_on_sigterm(checkpoint_path, tmp_path, film):
    with running_server(tmp_path, PLEURA_WEIGHTS=str(checkpoint_path), PLEURA_API="open") as server:
        body, headers = film_form(film, "film.png")
        headers |= {"Host": "127.0.0.1", "Expect": "100-continue", "Connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
            client.sendall(f"POST /api/v1/predictions HTTP/1.1\r\n{head}\r\n".encode())
            assert b"100 Continue" in client.recv(1024)  # the request is with the application
            server.process.send_signal(signal.SIGTERM)
            server.wait_for(r"Handling signal: term")
            while server.takes_requests():
                pass
            client.sendall(body)
            answer = http.client.HTTPResponse(client)
            answer.begin()
            assert answer.status == 200
            assert json.load(answer)["mask"]["width"] == 256
        assert server.process.wait(timeout=60) == 0
    assert not (tmp_path / "studies.sqlite-wal").exists(), (
        "a log is left beside the database, which may be replaced now"
    )


def test_containers_are_given_the_time_to_finish(configuration):
    compose, page = ((ROOT / name).read_text() for name in ("compose.yaml", "docs/deployment.md"))
    given = [re.search(r"stop_grace_period: (\d+)s", compose), re.search(r"docker run .*--stop-timeout (\d+)", page)]
    assert all(int(seconds[1]) > configuration.graceful_timeout for seconds in given)


@pytest.mark.parametrize(("status", "is_healthy"), [(200, True), (503, False)])
def test_the_container_s_health_check_asks_no_proxy(status, is_healthy):
    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

    check = re.search(r"^HEALTHCHECK .*?CMD (\[.*?\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE | re.DOTALL)[1]
    proxied = os.environ | {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "none"}
    with http.server.HTTPServer(("127.0.0.1", 0), Ready) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        command = json.loads(check.replace("\\\n", "").replace(":8000", f":{server.server_port}"))
        done = subprocess.run(command, env=proxied, capture_output=True, check=False, timeout=60)
    assert (done.returncode == 0) == is_healthy, done.stderr


def test_image_holds_all_it_copies():
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert len(sources) >= 5
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in allowed
