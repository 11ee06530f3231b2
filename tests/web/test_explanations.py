"""Explanations as the page's script asks for them: computed once, kept with the study, in turn with other films."""

import base64
import io
import json
import threading
import urllib.request
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.analysis import saliency
from app.analysis.analysis import Analysis
from app.analysis.saliency import UNTRIED, Saliency, packed
from app.segmentation.decision.doubts import UNFAMILIAR
from app.segmentation.network import attribution
from app.segmentation.network.attribution import occlude
from app.segmentation.network.logits import logit
from app.segmentation.network.preprocessing import preprocess
from app.segmentation.predictor import Predictor
from app.segmentation.reading.film_reader import shared_reader
from app.segmentation.reading.radiograph import Radiograph
from app.studies.database import Base
from app.studies.drawing import film_png
from app.studies.store import StudyStore
from app.studies.study import Study
from app.web.services import services
from tests.support import forms
from tests.support.answers import make_answer
from tests.support.film_files import to_png
from tests.support.server import running_server
from training.releasing.phantom.drawing import draw_phantom

FILM = draw_phantom(3, 320).image
CELLS = 8
"""Fewer than the page has, for speed: 49 patches."""


def unpacked(document: dict) -> np.ndarray:
    levels = np.frombuffer(base64.b64decode(document["levels"]), np.int8).astype(np.float32)
    values = np.where(levels == UNTRIED, np.nan, levels * document["peak"] / 127)
    return values.reshape(document["side"], document["side"])


def lines(answer) -> list[dict]:
    return [json.loads(line) for line in answer.text.splitlines()]


def token(client) -> dict:
    return {"X-CSRFToken": forms.token(client)}


@pytest.fixture
def address(client) -> str:
    """Where a study of the synthetic film is explained."""
    return forms.upload(client, (to_png(FILM), "chest.png")).location + "/explanations"


@pytest.fixture(autouse=True)
def coarse(monkeypatch) -> None:
    monkeypatch.setattr(attribution, "occlude", partial(occlude, cells=CELLS))


@pytest.fixture
def predictor(app) -> Predictor:
    return services(app).predictor


class TestPacking:
    def test_keeps_a_map_to_a_127th_of_its_peak(self):
        values = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
        values[3, 5] = np.nan
        document = packed(values)
        assert document["side"] == 16 and document["peak"] == pytest.approx(np.nanmax(np.abs(values)))
        again = unpacked(document)
        assert np.isnan(again).sum() == 1 and np.isnan(again[3, 5])
        assert np.nanmax(np.abs(again - values)) <= 0.51 * document["peak"] / 127

    def test_a_map_of_nothing(self):
        document = packed(np.zeros((2, 2), np.float32))
        assert document["peak"] == 0 and not unpacked(document).any()


class TestTheFilmExplained:
    def test_is_the_networks_input_where_the_file_has_8_bits(self, predictor):
        image = np.round(FILM * 255).astype(np.float32) / 255
        expected = preprocess(image, predictor.metadata.preprocessing)
        assert np.array_equal(Saliency(Analysis(predictor, shared_reader()))._batch(film_png(image)), expected)

    def test_strays_little_where_the_file_has_more(self, predictor):
        noise = np.random.default_rng(0).normal(0, 0.003, FILM.shape)
        image = (np.round((0.6 * FILM + 0.2 + noise) * 4095) / 4095).astype(np.float32)  # 12 bits
        expected = preprocess(image, predictor.metadata.preprocessing)
        found = Saliency(Analysis(predictor, shared_reader()))._batch(film_png(image))
        assert not np.array_equal(found, expected)
        assert np.abs(found - expected).max() < 0.02  # standard deviations of the film

    def test_strays_little_where_it_is_shown_smaller(self, predictor):
        large = cv2.resize(np.round(FILM * 255).astype(np.float32) / 255, (5000, 4400), interpolation=cv2.INTER_LINEAR)
        found = Saliency(Analysis(predictor, shared_reader()))._batch(film_png(large))
        assert np.abs(found - preprocess(large, predictor.metadata.preprocessing)).max() < 0.05

    def test_has_the_score_that_is_shown(self, client, address, predictor):
        traced = client.post(f"{address}/activations", headers=token(client)).json
        assert traced["score"] == pytest.approx(logit(predictor.predict(Radiograph(FILM, "PNG")).probability), abs=0.02)
        assert f"{100 * traced['probability']:.0f}\u00a0%" in client.get(address.removesuffix("/explanations")).text


class TestActivations:
    def test_are_those_of_the_core(self, client, address, predictor):
        found = client.post(f"{address}/activations", headers=token(client)).json
        sides = [stage["side"] for stage in found["stages"]]
        assert sides == [32, 16, 8, 4, 2]
        assert all(unpacked(stage).min() >= 0 for stage in found["stages"])
        assert len(found["feature_maps"]) == 12
        for one in found["feature_maps"]:
            assert unpacked(one).sum() == pytest.approx(one["contribution"], abs=4 * one["peak"] / 127)

    def test_are_kept(self, client, address, app, monkeypatch):
        assert client.get(address).json == {"activations": None, "occlusion": None}
        first = client.post(f"{address}/activations", headers=token(client)).json
        monkeypatch.delattr(attribution, "trace_activations")
        assert client.post(f"{address}/activations", headers=token(client)).json == first
        assert client.get(address).json == {"activations": first, "occlusion": None}


class TestOcclusion:
    def test_comes_line_by_line_and_is_kept(self, client, address, predictor, monkeypatch):
        steps = lines(client.post(f"{address}/occlusion", headers=token(client)))
        assert [step["done"] for step in steps] == [*range(2, 49, 2), 49]
        assert {step["total"] for step in steps} == {49}
        assert np.isnan(unpacked(steps[0])).any() and not np.isnan(unpacked(steps[-1])).any()
        batch = Saliency(Analysis(predictor, shared_reader()))._batch(film_png(FILM))
        *_, last = occlude(predictor.engine, predictor.decision.calibration, batch, CELLS)
        assert np.abs(unpacked(steps[-1]) - last.drops).max() < steps[-1]["peak"] / 100
        monkeypatch.delattr(attribution, "occlude")
        assert lines(client.post(f"{address}/occlusion", headers=token(client))) == steps[-1:]
        assert client.get(address).json == {"activations": None, "occlusion": steps[-1]}

    def test_stops_when_the_reader_leaves_and_keeps_nothing(self, client, address, app, monkeypatch):
        tried = count_patches(monkeypatch)
        answer = client.post(f"{address}/occlusion", headers=token(client), buffered=False)
        stream = answer.iter_encoded()
        next(stream), next(stream)
        answer.close()
        assert len(tried) == 2
        assert client.get(address).json["occlusion"] is None
        assert services(app).saliency.start_occlusion()  # the right to the next one was given back

    def test_a_reader_who_never_reads_blocks_nobody(self, client, address, app):
        client.post(f"{address}/occlusion", headers=token(client), buffered=False).close()
        assert services(app).saliency.start_occlusion()

    def test_one_at_a_time(self, client, address, app, monkeypatch):
        monkeypatch.setattr(saliency, "PATIENCE_SECONDS", 0.05)
        assert services(app).saliency.start_occlusion()
        answer = client.post(f"{address}/occlusion", headers=token(client))
        assert (answer.status_code, answer.json["code"]) == (503, "explanation_busy")
        assert answer.mimetype == "application/problem+json" and int(answer.headers["Retry-After"])
        services(app).saliency.end_occlusion()
        again = client.post(f"{address}/occlusion", headers=token(client), buffered=False)
        assert again.status_code == 200
        again.close()

    def test_a_film_that_comes_meanwhile_waits_for_one_step(self, app):
        """The film is analysed between two steps, although the occlusion would go on at once."""
        explaining, order, waits = services(app).saliency, [], threading.Event()
        analysis = services(app).analysis

        def analyse() -> None:
            analysis.analyse(to_png(FILM))
            order.append("film")

        film = threading.Thread(target=analyse)
        for step in explaining.occlusion(film_png(FILM)):
            order.append(step["done"])
            if step["done"] == 10:
                analysis.turns.notice = lambda change: waits.set()
                with analysis.turns:  # holds the film back until it stands in the line
                    film.start()
                    assert waits.wait(30)
        film.join(timeout=30)
        assert order.index("film") <= order.index(10) + 2

    def test_a_study_deleted_meanwhile_keeps_nothing(self, client, address, app):
        headers = token(client)
        answer = client.post(f"{address}/occlusion", headers=headers, buffered=False)
        stream = answer.iter_encoded()
        next(stream)
        client.post(address.replace("explanations", "delete"), headers=headers)
        assert sum(1 for _ in stream) == 24  # the other lines: nothing breaks
        answer.close()
        with services(app).studies.engine.connect() as connection:
            assert connection.execute(select(Study.id)).all() == []


def test_gunicorn_stops_when_the_connection_closes(checkpoint_path, tmp_path):
    with running_server(tmp_path, PLEURA_WEIGHTS=str(checkpoint_path), PLEURA_THREADS="1") as server:
        jar = urllib.request.HTTPCookieProcessor()
        open_address = urllib.request.build_opener(jar).open
        form = forms.token_in(open_address(server.url).read().decode())
        film = FileStorage(io.BytesIO(to_png(FILM)), "chest.png")
        boundary, body = encode_multipart({"films": film, "csrf_token": form})
        upload = urllib.request.Request(
            f"{server.url}/studies", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        )
        address = open_address(upload).url + "/explanations"

        request = urllib.request.Request(f"{address}/occlusion", b"", {"X-CSRFToken": form})
        with open_address(request) as stream:
            first = json.loads(stream.readline())
        sent = int(server.wait_for(r"explanations/occlusion 200 (\d+) bytes")[1])
        assert first["total"] == 225
        assert sent < 40 * len(json.dumps(first))  # of 113 lines
        assert json.loads(open_address(address).read()) == {"activations": None, "occlusion": None}
        with open_address(request) as stream:
            assert json.loads(stream.readline())["done"] == 2


class TestRefusals:
    @pytest.mark.parametrize("kind", ["activations", "occlusion"])
    def test_of_other_sessions_and_unknown_studies(self, app, client, address, kind):
        stranger = app.test_client()
        assert stranger.post(f"{address}/{kind}", headers=token(stranger)).status_code == 404
        assert stranger.get(address).status_code == 404
        unknown = client.post(f"/studies/none/explanations/{kind}", headers=token(client))
        assert (unknown.status_code, unknown.json["code"]) == (404, "not_found")

    @pytest.mark.parametrize("kind", ["activations", "occlusion"])
    def test_of_forged_requests(self, client, address, kind):
        answer = client.post(f"{address}/{kind}")
        assert (answer.status_code, answer.json["code"]) == (400, "form_expired")
        assert client.get(f"{address}/{kind}").status_code == 405

    @pytest.mark.parametrize("kind", ["activations", "occlusion"])
    def test_of_films_the_model_does_not_know(self, client, predictor, monkeypatch, kind):
        predict = predictor.predict
        withheld = {"doubts": (UNFAMILIAR,), "withheld_for": UNFAMILIAR.code}
        monkeypatch.setattr(predictor, "predict", lambda film: replace(predict(film), **withheld))
        address = forms.upload(client, (to_png(FILM), "hand.png")).location
        answer = client.post(f"{address}/explanations/{kind}", headers=token(client))
        assert (answer.status_code, answer.json["code"]) == (409, "nothing_to_explain")
        assert "There is nothing to explain" in client.get(address).text

    @pytest.mark.parametrize("kind", ["activations", "occlusion"])
    def test_of_answers_of_another_model(self, client, address, predictor, monkeypatch, kind):
        monkeypatch.setattr(predictor, "sha256", "another")
        answer = client.post(f"{address}/{kind}", headers=token(client))
        assert (answer.status_code, answer.json["code"]) == (409, "other_model")


def test_a_defect_has_a_number_in_the_log(app, client, address, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("a tensor")

    monkeypatch.setattr(services(app).saliency, "activations", fail)
    problem = client.post(f"{address}/activations", headers=token(client))
    assert (problem.status_code, problem.json["code"]) == (500, "internal_error")
    assert problem.json["incident"] in problem.json["detail"] and "tensor" not in problem.text
    assert f"Incident {problem.json['incident']}: explanations.activations" in caplog.text and "a tensor" in caplog.text


def count_patches(monkeypatch) -> list:
    """Have every step of an occlusion noted."""
    noted = []

    def noting(*arguments, **options):
        for step in occlude(*arguments, cells=CELLS, **options):
            noted.append(step.done)
            yield step

    monkeypatch.setattr(attribution, "occlude", noting)
    return noted


class TestKeeping:
    def test_an_explanation_goes_with_its_study(self, any_database, tmp_path):
        now = [1_000_000.0]
        store = StudyStore(any_database, 60, lambda: now[0])
        pictures = {"film_png": b"film", "probability_png": b"map", "disagreement_png": b"doubt"}
        store.add("ann", "one.dcm", make_answer(id="one"), **pictures)
        assert (store.get("one", "ann").activations, store.get("one", "ann").occlusion) == (None, None)
        secret = {"levels": "must not linger " * 20_000}
        assert not store.update("one", "bob", occlusion=secret)
        assert store.update("one", "ann", occlusion=secret)
        assert StudyStore(any_database, 60, lambda: now[0]).get("one", "ann").occlusion == secret
        now[0] += 60
        assert not store.update("one", "ann", activations=secret)
        assert store.purge() == 1
        assert not any(b"must not linger" in file.read_bytes() for file in tmp_path.glob("studies.sqlite*"))
        Base.metadata.drop_all(store.engine)
        store.close()
