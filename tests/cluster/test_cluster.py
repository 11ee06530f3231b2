"""Two replicas behind the nginx of `compose.yaml`, with PostgreSQL and Redis: faults of the one, and slow clients."""

import io
import json
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from tests.support.cluster import Cluster, running_cluster
from tests.support.film_files import to_png
from tests.support.forms import token_in
from training.releasing.phantom.drawing import draw_phantom

FILM = to_png(draw_phantom(1, 256).image)
HOST = {"Host": "pleura.example"}


@pytest.fixture(scope="module")
def cluster(checkpoint_path, tmp_path_factory):
    with running_cluster(tmp_path_factory.mktemp("cluster"), PLEURA_WEIGHTS=str(checkpoint_path)) as cluster:
        yield cluster


def get(browser, url: str) -> str:
    with browser.open(urllib.request.Request(url, headers=HOST), timeout=60) as answer:
        return answer.read().decode()


def untrusting() -> ssl.SSLContext:
    """TLS with whatever certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def cookies_of(browser) -> str:
    jar = next(one.cookiejar for one in browser.handlers if isinstance(one, urllib.request.HTTPCookieProcessor))
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def upload(browser, url: str, film: bytes = FILM) -> str:
    """Send a film as the page does; return the study's path."""
    token = token_in(get(browser, f"{url}/"))
    form = {"films": FileStorage(io.BytesIO(film), "film.png"), "csrf_token": token}
    boundary, body = encode_multipart(form)
    headers = HOST | {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "X-Requested-With": "XMLHttpRequest",
        "Referer": "https://pleura.example/",
        "Origin": "https://pleura.example",
    }
    with browser.open(urllib.request.Request(f"{url}/studies", body, headers), timeout=60) as answer:
        return re.search(r'href="(/studies/[\w-]+)"', answer.read().decode())[1]


def status(url: str) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_requests_that_stall_hold_up_nobody(cluster: Cluster):
    port = int(cluster.url.rsplit(":", 1)[1])
    context = untrusting()
    beginnings = [b"GET / HTTP/1.1\r\nHost: pleura.example\r\nX-Half: "] * 50
    beginnings += [b"POST /studies HTTP/1.1\r\nHost: pleura.example\r\nContent-Length: 9000000\r\n\r\nstall"] * 60
    browser = cluster.browser()
    place = upload(browser, cluster.url)
    with ExitStack() as stack:
        for beginning in beginnings:
            raw = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            stack.enter_context(context.wrap_socket(raw)).sendall(beginning)
        started = time.monotonic()
        assert "film.png" in get(browser, f"{cluster.url}{place}")
        assert time.monotonic() - started < 10


def test_answers_that_nobody_reads_hold_up_nobody(cluster: Cluster):
    browser = cluster.browser()
    place = upload(browser, cluster.url, to_png(draw_phantom(1, 512).image))
    film = f"GET {place}/film.png HTTP/1.1\r\nHost: pleura.example\r\nCookie: {cookies_of(browser)}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(60):
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.settimeout(60)
            raw.connect(("127.0.0.1", int(cluster.url.rsplit(":", 1)[1])))
            connection = stack.enter_context(untrusting().wrap_socket(raw))
            connection.sendall(film)
            assert connection.recv(12) == b"HTTP/1.1 200"  # the film is on its way, and is read no further
        assert "film.png" in get(browser, f"{cluster.url}{place}")


def test_a_film_sent_to_one_replica_is_seen_through_the_other_even_if_the_first_is_killed(cluster: Cluster):
    browser = cluster.browser()
    places = [upload(browser, cluster.url) for _ in range(3)]
    logs = [replica.log() for replica in cluster.replicas]
    assert all('"path": "/studies", "status": 201' in log for log in logs), "nginx has left one replica out"
    cluster.replicas[0].process.kill()
    for place in places:
        assert "film.png" in get(browser, f"{cluster.url}{place}")
    assert upload(browser, cluster.url)


def test_addresses_are_counted_together(cluster: Cluster):
    """Redis knows of each address, by nginx's word."""
    port = re.search(r"port=(\d+)|--port (\d+)", " ".join(cluster.redis.args))
    number = int(next(filter(None, port.groups())))
    with socket.create_connection(("127.0.0.1", number), timeout=10) as connection:
        connection.sendall(b"KEYS *\r\n")
        assert b"127.0.0.1/films" in connection.recv(4096).replace(b"LIMITS:LIMITER/", b"")


def test_a_stopped_database_is_told_and_outlived(cluster: Cluster):
    replica = cluster.replicas[1].url
    browser = cluster.browser()
    place = upload(browser, cluster.url)
    cluster.stop_database()
    code, answer = status(f"{replica}/readyz")
    assert (code, answer["reason"]) == (503, "The server's database does not answer. Try again in a while.")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        get(browser, f"{cluster.url}{place}")
    assert refusal.value.code == 503
    assert status(f"{replica}/healthz")[0] == 200
    cluster.start_database()
    assert "film.png" in get(browser, f"{cluster.url}{place}")


def test_log_is_json_and_names_requests(cluster: Cluster):
    lines = [line for line in cluster.replicas[1].log().splitlines() if '"logger": "access"' in line]
    entries = [json.loads(line) for line in lines]
    assert entries
    assert all(re.fullmatch("[0-9a-f]{16,32}", entry["request_id"]) for entry in entries)
    assert not any("film.png" in line and "studies" not in line for line in lines)
