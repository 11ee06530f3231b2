"""Where as many films wait as may, the next is told when to come back."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.web.services import services
from tests.support.phantom import draw_phantom, to_png

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
