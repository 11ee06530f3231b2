"""Requests that no browser sends, before a real server: each gets an answer at once, and so does the next film."""

import http.client
import json
import socket

import pytest

from tests.support.film_files import to_png
from tests.support.server import Server, running_server
from training.releasing.phantom.drawing import draw_phantom

FILM = to_png(draw_phantom(1, 256).image)
POST = b"POST /api/v1/predictions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
MULTIPART = b"Content-Type: multipart/form-data; boundary=x\r\n"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


@pytest.fixture(scope="module")
def server(checkpoint_path, tmp_path_factory):
    settings = {"PLEURA_WEIGHTS": str(checkpoint_path), "PLEURA_API": "open", "PLEURA_RATE_LIMIT": ""}
    with running_server(tmp_path_factory.mktemp("server"), **settings) as running:
        yield running


def send(server: Server, request: bytes) -> tuple[int, bytes]:
    """Send bytes as they are; return the answer's status, 0 where there is none, and its body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)  # who waits for the rest shall know that there is none
        except OSError:
            pass  # an answer may have come before everything was sent
        answer = http.client.HTTPResponse(connection, method=request.partition(b" ")[0].decode("latin-1"))
        try:
            answer.begin()
        except (http.client.HTTPException, ConnectionResetError):
            return 0, b""
        return answer.status, answer.read()


def sized(body: bytes, length: int | None = None) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


def chunked(body: bytes, size: int) -> bytes:
    parts = (body[at : at + size] for at in range(0, len(body), size))
    return b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


WHOLE = PART + FILM + b"\r\n--x--\r\n"

FIELD = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'


def get(path: bytes = b"/", headers: bytes = b"", verb: bytes = b"GET") -> bytes:
    return b"%b %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%b\r\n" % (verb, path, headers)


def form(body: bytes) -> bytes:
    return POST + MULTIPART + sized(body)


def typed(kind: bytes, body: bytes) -> bytes:
    return POST + b"Content-Type: " + kind + b"\r\n" + sized(body)


REFUSED = {400, 413}
REQUESTS: dict[str, tuple[bytes, set[int]]] = {
    "no boundary": (typed(b"multipart/form-data", WHOLE), {400}),
    "another boundary": (typed(b"multipart/form-data; boundary=y", WHOLE), {400}),
    "a long boundary": (typed(b"multipart/form-data; boundary=" + b"y" * 4000, WHOLE), {400}),
    "boundaries and nothing else": (form(b"--x\r\n" * 200_000), REFUSED),
    "dashes": (form(b"\r\n--" * 500_000), REFUSED),
    "line ends": (form(b"\r\n" * 2_000_000), REFUSED),
    "a part without end": (form(PART + FILM), {200, 400}),
    "a part's endless header": (form(b"--x\r\nContent-Disposition: " + b"a" * 3_000_000), REFUSED),
    "a part's many headers": (form(b"--x\r\n" + b"A: b\r\n" * 300_000 + b"\r\n\r\n--x--"), REFUSED),
    "many parts": (form((FIELD + b"\r\n") * 50_000 + b"--x--"), REFUSED),
    "many files": (form((PART + b"\r\n") * 20_000 + b"--x--"), REFUSED),
    "a field of megabytes": (form(FIELD + b"a" * 9_000_000 + b"\r\n--x--"), REFUSED),
    "no file's name": (form(WHOLE.replace(b'; filename="a.png"', b"")), {400}),
    "JSON of brackets": (typed(b"application/json", b"[" * 1_000_000), {400}),
    "many fields": (typed(b"application/x-www-form-urlencoded", b"a=&" * 300_000), REFUSED),
    "chunks": (POST + MULTIPART + chunked(WHOLE, 1000), {200}),
    "chunks of a byte": (POST + MULTIPART + chunked(WHOLE[:20_000], 1), {200, 400}),
    "a chunk's size that is none": (POST + MULTIPART + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", {400}),
    "a chunk of exabytes": (
        POST + MULTIPART + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + WHOLE,
        {0, 400, 413},
    ),
    "length and chunks": (POST + MULTIPART + b"Content-Length: 5\r\n" + chunked(WHOLE, 1000), {400}),
    "two lengths": (POST + MULTIPART + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + WHOLE, {400}),
    "a length below nothing": (POST + MULTIPART + sized(WHOLE, -1), {400}),
    "a length of exabytes": (POST + MULTIPART + b"Content-Length: 99999999999999999999\r\n\r\n", REFUSED),
    "a length that is too short": (POST + MULTIPART + sized(WHOLE, 500), {400}),
    "no length": (POST + MULTIPART + b"\r\n" + WHOLE, {400}),
    "a long query": (get(b"/?a=" + b"a" * 3000), {200}),
    "a longer query": (get(b"/?a=" + b"a" * 100_000), {400, 414}),
    "a long path": (get(b"/studies/" + b"a" * 3000), {404}),
    "a query of percents": (get(b"/?example=" + b"%ff%00%0d%0a" * 250), {200, 400, 404}),
    "a thousand headers": (get(headers=b"".join(b"X-%d: y\r\n" % n for n in range(1000))), {400, 431}),
    "a long header": (get(headers=b"X: " + b"y" * 100_000 + b"\r\n"), {400, 431}),
    "a header without a name": (get(headers=b": y\r\n"), {400}),
    "a folded header": (get(headers=b"X: y\r\n z\r\n"), {200, 400}),
    "no host": (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", {200, 400}),
    "two hosts": (get(headers=b"Host: evil.example\r\n"), {400}),
    "HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", {200}),
    "HTTP/9": (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", {0, 400, 505}),
    "a whole address": (get(b"http://evil.example/"), {200, 400, 404}),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500) + b"\r\n\r\n", {0, 400}),
    "HEAD": (get(verb=b"HEAD"), {200}),
    "OPTIONS": (get(verb=b"OPTIONS"), {200}),
    "OPTIONS of everything": (get(b"*", verb=b"OPTIONS"), {400, 404, 405}),
    "TRACE": (get(verb=b"TRACE"), {405}),
    "a verb of our own": (get(verb=b"BREW"), {400, 405}),
    "CONNECT": (get(b"evil.example:443", verb=b"CONNECT"), {400, 404, 405}),
    "a body with GET": (get(headers=b"Content-Length: 100000\r\n") + bytes(100_000), {200}),
    "a path of dots": (get(b"/static/../../../../etc/passwd"), {400, 404}),
    "a path of coded dots": (get(b"/static/%2e%2e/%2e%2e/app/config.py"), {404}),
    "a forged cookie": (get(headers=b"Cookie: pleura=eyJvd25lciI6ImFubiJ9.aaaaaa.bbbbbbbbbbbbbbbbb\r\n"), {200}),
    "a cookie that inflates": (get(headers=b"Cookie: pleura=.eJw" + b"A" * 7000 + b".a.b\r\n"), {200}),
    "a host that is no name": (b"GET / HTTP/1.1\r\nHost: .\r\nConnection: close\r\n\r\n", {400}),
    "a referrer that is no address": (get(b"/studies", b"Referer: http://[\r\n", b"POST"), {400}),
    "an origin that is no address": (get(b"/studies", b"Origin: http://[\r\n", b"POST"), {403}),
    "a password of odd letters": (get(b"/monitoring", b"Authorization: Basic \xff\r\n"), {404}),
    "a path of one's own": (get(headers=b"SCRIPT_NAME: /p\r\n"), {200}),
    "another path of one's own": (get(headers=b"PATH_INFO: /nowhere\r\n"), {200}),
    "a scheme of one's own": (get(headers=b"X-Forwarded-Proto: gopher\r\n"), {200, 400}),
    "a token of odd letters": (
        POST + b"Authorization: Bearer \xff\xfe\xfd\r\n" + MULTIPART + sized(WHOLE),
        {200, 400},
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_is_answered_and_so_is_the_next_film(server, name):
    request, statuses = REQUESTS[name]
    before = len(server.log())
    status, body = send(server, request)
    assert status in statuses, body[:500]
    if status == 400 and MULTIPART in request and body.startswith(b"{"):
        assert json.loads(body)["code"]
    assert "Traceback" not in server.log()[before:]
    assert send(server, POST + MULTIPART + sized(WHOLE))[0] == 200
