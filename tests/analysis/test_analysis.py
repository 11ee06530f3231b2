"""Bytes to answer: timed as a whole, one film after another."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from app.analysis.analysis import Analysis
from app.segmentation.errors import EmptyFileError
from app.segmentation.predictor import Predictor
from app.segmentation.reading.film_reader import shared_reader
from app.segmentation.reading.image_io import read_radiograph
from tests.support.film_files import to_png
from training.releasing.phantom.drawing import draw_phantom

FILM = to_png(draw_phantom(1, 320).image)


@pytest.fixture(scope="module")
def predictor(checkpoint_path) -> Predictor:
    return Predictor.load(checkpoint_path)


def test_reading_is_part_of_the_time_taken(predictor):
    def read_slowly(data):
        time.sleep(0.3)
        return read_radiograph(data)

    analysed = Analysis(predictor, SimpleNamespace(read=read_slowly)).analyse(FILM)
    timing = analysed.answer.timing_ms
    assert analysed.radiograph.image.shape == (320, 320)
    assert timing["reading"] >= 300
    stages = sum(duration for stage, duration in timing.items() if stage != "total")
    assert timing["total"] == pytest.approx(stages, abs=1)


def test_a_film_is_read_no_longer_than_its_reading_takes(predictor):
    """One that waits until the film before it has been answered has been read already."""
    during, waits = [], threading.Event()

    def read(data):
        time.sleep(0.1)
        during.append(analysis.reading_seconds())
        return read_radiograph(data)

    analysis = Analysis(predictor, SimpleNamespace(read=read))
    analysis.turns.notice = lambda change: waits.set()
    with ThreadPoolExecutor(1) as threads:
        with analysis.turns:
            film = threads.submit(analysis.analyse, FILM)
            assert waits.wait(30)
            assert analysis.reading.held_seconds() > 0.1
            assert analysis.reading_seconds() == 0
        assert film.result(timeout=30).answer.finding
    assert during[0] >= 0.1


def test_films_wait_for_each_other(predictor, monkeypatch):
    busy = threading.Lock()
    predict = predictor.predict

    def predict_alone(radiograph):
        assert busy.acquire(blocking=False), "two films at once"
        time.sleep(0.1)  # long enough for the others to come
        try:
            return predict(radiograph)
        finally:
            busy.release()

    monkeypatch.setattr(predictor, "predict", predict_alone)
    with ThreadPoolExecutor(4) as threads:
        analysed = list(threads.map(Analysis(predictor, shared_reader()).analyse, [FILM] * 4))
    assert len({film.answer.id for film in analysed}) == 4


def test_a_refused_film_holds_up_no_other(predictor):
    analysis = Analysis(predictor, shared_reader())
    with pytest.raises(EmptyFileError):
        analysis.analyse(b"")
    assert analysis.analyse(FILM).answer.finding
