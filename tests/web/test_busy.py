"""Where as many films wait as may, the next is told when to come back."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.web.services import services
from tests.support.film_files import to_png
from tests.support.forms import upload
from training.releasing.phantom.drawing import draw_phantom

FILM = to_png(draw_phantom(1, 256).image)


@pytest.fixture
def full(app):
    """Nobody may wait, and somebody works."""
    reading = services(app).analysis.reading
    reading.most_waiting = 0
    with reading:
        yield app


def test_program_is_told_when_to_come_back(full, client):
    answer = client.post("/api/v1/predictions", data={"file": (io.BytesIO(FILM), "film.png")})
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert int(answer.headers["Retry-After"]) >= 1
    assert len(answer.headers["X-Request-Id"]) == 16


def test_a_body_without_end_is_not_received_for_ever(full, client):
    class Endless(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            return bytes(size)

        def tell(self) -> int:
            return 0

    full.config["MAX_CONTENT_LENGTH"] = 10**6
    answer = client.post(
        "/api/v1/predictions",
        input_stream=Endless(),
        headers={"Transfer-Encoding": "chunked", "Content-Type": "multipart/form-data; boundary=x"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json["code"]) == (503, "busy")


@pytest.mark.parametrize("headers", [{}, {"X-Requested-With": "XMLHttpRequest"}])
def test_page_is_told_when_to_come_back(full, client, headers):
    full.config["WTF_CSRF_ENABLED"] = False
    answer = client.post("/studies", data={"films": (io.BytesIO(FILM), "film.png")}, headers=headers)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "busy" in answer.text


def test_pages_and_probes_are_answered_meanwhile(full):
    with ThreadPoolExecutor(1) as threads:
        for address in ("/", "/healthz"):
            answer = threads.submit(lambda: full.test_client().get(address)).result(timeout=30)  # noqa: B023
            assert answer.status_code == 200


def test_exports_are_made_one_at_a_time(app, client):
    place = upload(client, (FILM, "film.png")).location
    exporting = services(app).exporting
    exporting.most_waiting = 0
    with exporting:
        answer = client.get(f"{place}/exports/answer.json")
        assert (answer.status_code, int(answer.headers["Retry-After"]) >= 1) == (503, True)
        assert '<code class="reason">busy</code>' in answer.text
    assert client.get(f"{place}/exports/answer.json").status_code == 200


def test_one_waits_for_an_explanation_and_the_next_is_refused_at_once(app, monkeypatch):
    monkeypatch.setattr("app.analysis.saliency.PATIENCE_SECONDS", 60)
    saliency = services(app).saliency
    assert saliency.start_occlusion()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(saliency.start_occlusion)
        while not waiting.running():
            pass
        while saliency._patience.acquire(blocking=False):
            saliency._patience.release()
        assert not saliency.start_occlusion()
        saliency.end_occlusion()
        assert waiting.result(timeout=60)
    saliency.end_occlusion()
