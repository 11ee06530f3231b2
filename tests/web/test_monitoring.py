"""Whoever watches the operation sees figures, and nothing by which a film or a patient could be told."""

import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import OperationalError

from app.analysis.control import FEWEST, GO_ON, OUTSIDE, STOP, TOO_FEW, UNKNOWN, WITHIN, Baseline, compare, decide
from app.config import ROOT, SettingError
from app.segmentation.predictor import Predictor
from app.studies.database import StorageUnavailableError
from app.studies.observations import REFUSED, Observation
from app.web.services import services
from tests.support.film_files import to_dicom, to_png
from tests.support.server import film_form, running_server
from training.acceptance.limits import FEWEST as FEWEST_OF_LIMITS
from training.releasing.phantom.drawing import draw_phantom

TOKEN = "a token of the operator, long enough for it"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATIENT = {"PatientName": "Doe^Jane", "PatientID": "MRN-4711", "ManufacturerModelName": "DX-D 600"}


@pytest.fixture
def make(make_app):
    """Make the application, with more settings."""
    return partial(make_app, API="open", MONITORING_TOKEN=TOKEN, WTF_CSRF_ENABLED=False)


@pytest.fixture(scope="module")
def film() -> bytes:
    return to_dicom(draw_phantom(seed=1, size=256).image, bits_stored=8, **PATIENT)


def ask(client, data, name="jane doe.dcm"):
    return client.post("/api/v1/predictions", data={"file": (io.BytesIO(data), name)})


def upload(client, data, name="jane doe.dcm"):
    return client.post("/studies", data={"films": (io.BytesIO(data), name)})


def rows(app) -> list[dict]:
    with services(app).studies.engine.connect() as connection:
        return [dict(row) for row in connection.execute(text("SELECT * FROM observations")).mappings()]


@pytest.mark.parametrize("path", ["/monitoring", "/metrics"])
def test_there_is_nothing_without_a_token(make, path):
    client = make(MONITORING_TOKEN="").test_client()
    assert client.get(path).status_code == 404
    assert client.get(path, headers=BEARER).status_code == 404


@pytest.mark.parametrize("path", ["/monitoring", "/metrics"])
def test_the_token_is_demanded_in_either_form(make, path):
    client = make().test_client()
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"Authorization": "Bearer another"}).status_code == 401
    assert client.get(path, headers=BEARER).status_code == 200
    basic = base64.b64encode(f"operator:{TOKEN}".encode()).decode()
    assert client.get(path, headers={"Authorization": f"Basic {basic}"}).status_code == 200


def test_a_database_that_does_not_answer_is_told_to_programs_and_operators(make, film, caplog):
    app = make(API="token", API_TOKEN="x" * 32)
    client, engine = app.test_client(), services(app).studies.engine

    @event.listens_for(engine, "before_cursor_execute")
    def fail(*_):
        raise OperationalError("SELECT", None, Exception("server closed the connection"))

    sent = {"data": {"file": (io.BytesIO(film), "film.dcm")}, "headers": {"Authorization": "Bearer of a ward"}}
    refused = client.post("/api/v1/predictions", **sent)
    assert (refused.status_code, refused.json["code"]) == (503, "storage_unavailable")
    refused = client.get("/monitoring", headers=BEARER)
    assert refused.status_code == 503 and "storage_unavailable" in refused.text
    with pytest.raises(StorageUnavailableError):
        next(services(app).studies.observations.since(""))


def test_a_short_token_is_refused(make):
    with pytest.raises(SettingError, match="PLEURA_MONITORING_TOKEN"):
        make(MONITORING_TOKEN="short")


def test_what_outlives_a_film_has_no_identity(make, film):
    app = make()
    client = app.test_client()
    assert ask(client, film).status_code == 200
    assert upload(client, film).status_code == 303
    assert ask(client, b"no film, of Jane Doe").status_code == 415
    kept = rows(app)
    assert len(kept) == 3
    with services(app).studies.engine.connect() as connection:
        columns = {column["name"] for column in inspect(connection).get_columns("observations")}
    figures = {"score", "distance", "finding", "withheld_for", "codes", "verdict"}
    assert columns == {"row", "hour", "model_sha256", "view", "machine", *figures}
    told = json.dumps(kept).lower()
    said = client.get("/metrics", headers=BEARER).text + client.get("/monitoring", headers=BEARER).text
    study_ids = re.findall(r"/studies/([\w-]{20,})", client.get("/").text)
    assert study_ids
    for identity in ("doe^jane", "jane doe", "mrn-4711", ".dcm", *study_ids):
        assert identity.lower() not in told
        assert identity.lower() not in said.lower()
    assert {row["machine"] for row in kept} == {"DX-D 600", ""}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d", row["hour"]) for row in kept)
    refused = kept[-1]
    assert (refused["finding"], refused["codes"], refused["score"]) == (REFUSED, "unsupported_format", None)


@pytest.mark.parametrize("machine", ["Doe, Jane; born 1970", "x" * 40, "<b>DX</b>", "DX=1"])
def test_what_is_no_machine_s_model_is_not_kept(make, machine):
    app = make()
    image = draw_phantom(seed=1, size=256).image
    assert ask(app.test_client(), to_dicom(image, bits_stored=8, ManufacturerModelName=machine)).status_code == 200
    assert [row["machine"] for row in rows(app)] == [""]


def test_a_verdict_goes_to_one_row_and_can_be_changed(make):
    app = make()
    client = app.test_client()
    film = to_png(draw_phantom(seed=1, size=256).image)
    for _ in range(2):
        address = upload(client, film, "film.png").headers["Location"]
    assert client.post(f"{address}/verdict", data={"verdict": "right"}).status_code == 303
    assert sorted(row["verdict"] for row in rows(app)) == ["", "right"]
    client.post(f"{address}/verdict", data={"verdict": "wrong"})
    assert sorted(row["verdict"] for row in rows(app)) == ["", "wrong"]
    client.post(f"{address}/verdict", data={"verdict": ""})
    assert [row["verdict"] for row in rows(app)] == ["", ""]


def test_an_example_is_no_film_of_the_site(make):
    app = make()
    client = app.test_client()
    address = re.search(r"\?example=[\w-]+", client.get("/").text)
    assert client.get(f"/{address[0]}").status_code == 303
    assert rows(app) == []


def test_a_film_outlives_its_study_and_is_deleted_in_its_time(make, film):
    app = make()
    client, store = app.test_client(), services(app).studies
    upload(client, film)
    store.clock = lambda: 1e11
    assert store.purge() == 1 and len(rows(app)) == 1
    store.observations._clock = lambda: 1e11
    store.purge()
    assert rows(app) == []


def test_requests_stages_queue_and_refusals_are_counted(make, film):
    client = make().test_client()
    ask(client, film)
    ask(client, b"")
    counted = client.get("/metrics", headers=BEARER).text
    assert 'pleura_requests_total{endpoint="api.predict",method="POST",status="200"} 1.0' in counted
    assert 'pleura_refusals_total{code="empty_file"} 1.0' in counted
    assert 'pleura_stage_seconds_count{stage="inference"} 1.0' in counted
    assert "pleura_queue_films 0.0" in counted and "pleura_score_count 1.0" in counted
    labels = set(re.findall(r'(\w+)="', counted))
    assert labels == {"endpoint", "method", "status", "code", "stage", "le", "finding"}


def test_an_unknown_method_or_path_makes_no_label_of_its_own(make):
    client = make().test_client()
    client.open("/jane-doe", method="JANEDOE")
    counted = client.get("/metrics", headers=BEARER).text
    assert "JANEDOE" not in counted and "jane-doe" not in counted and 'method="other"' in counted


def baseline(sha256="", **more):
    figures = {"alert_share": 0.2, "withheld_share": 0.05, "probability_mean": 0.25, "probability_sd": 0.2}
    figures |= {"distance_mean": 0.7, "distance_sd": 0.1}
    return Baseline(sha256, 400, {**figures, **more}, 50, 3.0)


def films(count, positive=0.2, score=0.25, distance=0.7, withheld=0.05):
    return [
        Observation(
            "2026-11-27T09",
            "",
            "positive" if index < positive * count else "negative",
            score,
            distance,
            "turned" if index < withheld * count else "",
        )
        for index in range(count)
    ]


def states(*arguments, **more):
    return {one.name: one.state for one in compare(baseline(**more), films(*arguments))}


def test_figures_as_in_the_report_are_within_their_limits():
    assert set(states(100).values()) == {WITHIN}
    alerts = next(one for one in compare(baseline(), films(100)) if one.name == "alert_share")
    margin = 3 * (0.2 * 0.8 * (1 / 100 + 1 / 400)) ** 0.5
    assert (alerts.low, alerts.high) == pytest.approx((0.2 - margin, 0.2 + margin))


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        (films(100, positive=0.5), "alert_share"),
        (films(100, score=0.5), "mean probability"),
        (films(100, distance=0.9), "mean distance"),
        (films(100, withheld=0.3), "withheld_share"),
    ],
)
def test_each_figure_can_leave_its_limits_and_stop_the_operation(changed, name):
    found = {one.name: one.state for one in compare(baseline(), changed)}
    assert found.pop(name) == OUTSIDE and set(found.values()) == {WITHIN}
    assert decide(baseline(), changed) == STOP


def test_few_films_say_nothing():
    assert set(states(FEWEST - 1).values()) == {TOO_FEW}
    assert decide(baseline(), films(49, positive=1)) == TOO_FEW
    assert decide(baseline(), films(50)) == GO_ON
    assert compare(baseline(), [])[0].found is None


def test_what_the_report_does_not_know_is_not_judged():
    assert states(100, distance_mean=None)["mean distance"] == UNKNOWN


def test_the_page_compares_with_the_report(make, film, checkpoint_path, tmp_path):
    report = tmp_path / "acceptance.json"
    said = {"sha256": Predictor.load(checkpoint_path).sha256, "stop": {"films": 100, "deviations": 2.5}}
    said["operation"] = {"films": 400, **baseline().figures}
    report.write_text(json.dumps(said))
    app = make(ACCEPTANCE=str(report))
    client = app.test_client()
    ask(client, film)
    page = client.get("/monitoring", headers=BEARER).text
    assert "over the last 100 films" in page and "2.5" in page and "too few to say" in page
    report.write_text(json.dumps({**said, "sha256": "0" * 64}))
    page = make(ACCEPTANCE=str(report)).test_client().get("/monitoring", headers=BEARER).text
    assert "is of another model" in page
    spoilt = [
        {},
        {**said, "stop": {"films": 10, "deviations": 3}},
        {**said, "stop": {"films": float("inf"), "deviations": 3}},
        {**said, "operation": {**said["operation"], "alert_share": 1.5}},
        {**said, "operation": {**said["operation"], "alert_share": "many"}},
    ]
    for one in spoilt:
        report.write_text(json.dumps(one))
        with pytest.raises(SettingError, match="PLEURA_ACCEPTANCE"):
            make(ACCEPTANCE=str(report))


def test_what_acceptance_takes_for_a_stop_rule_can_stop():
    assert FEWEST_OF_LIMITS == FEWEST


def test_who_waits_is_counted_as_long_as_he_does(make):
    app = make()
    client, turns = app.test_client(), services(app).analysis.turns

    def counted() -> str:
        return re.search(r"^pleura_queue_films (\S+)", client.get("/metrics", headers=BEARER).text, re.M)[1]

    with turns:
        waiting = threading.Thread(target=lambda: turns.turn("somebody").__enter__())
        waiting.start()
        until = time.monotonic() + 30
        while counted() != "1.0":
            assert time.monotonic() < until
    waiting.join()
    assert counted() == "0.0"


def test_two_workers_of_a_server_are_added_up_one_of_them_killed(checkpoint_path, tmp_path):
    report, shared = tmp_path / "acceptance.json", Path("/dev/shm")
    others = set(shared.glob("pleura-metrics-*"))
    operation = {"films": 400, **baseline().figures}
    said = {"sha256": Predictor.load(checkpoint_path).sha256, "stop": {"films": 50, "deviations": 3}}
    report.write_text(json.dumps({**said, "operation": operation}))
    settings = {"WEIGHTS": str(checkpoint_path), "API": "open", "RATE_LIMIT": "", "MONITORING_TOKEN": TOKEN}
    settings = {f"PLEURA_{name}": value for name, value in {**settings, "ACCEPTANCE": str(report)}.items()}
    film = to_dicom(draw_phantom(seed=1, size=256).image, bits_stored=8, **PATIENT)
    with running_server(tmp_path, ("--workers", "2", "wsgi:app"), **settings) as server:

        def get(path: str) -> str:
            with urllib.request.urlopen(
                urllib.request.Request(server.url + path, headers=BEARER), timeout=60
            ) as answer:
                return answer.read().decode()

        def send(count: int) -> None:
            request = urllib.request.Request(f"{server.url}/api/v1/predictions", *film_form(film, "jane doe.dcm"))
            with ThreadPoolExecutor(2) as threads:
                answers = [threads.submit(urllib.request.urlopen, request, timeout=60) for _ in range(count)]
                assert {answer.result().status for answer in answers} == {200}

        def counted() -> float:
            return sum(map(float, re.findall(r'^pleura_answers_total{finding="\w+"} (\S+)', get("/metrics"), re.M)))

        def gauges() -> set[int]:
            own = set(shared.glob("pleura-metrics-*")) - others
            return {int(path.stem.split("_")[-1]) for folder in own for path in folder.glob("gauge_livesum_*.db")}

        until = time.monotonic() + 180
        sent = 0
        while len(gauges()) < 2:
            assert time.monotonic() < until, server.log()
            send(4)
            sent += 4
        assert counted() == sent
        killed = min(gauges())
        os.kill(killed, signal.SIGKILL)
        while killed in gauges() or len(gauges()) < 2:
            assert time.monotonic() < until, server.log()
            time.sleep(0.2)
        send(2)
        assert counted() == sent + 2, "what the dead worker had answered was answered"
        text, page = get("/metrics"), get("/monitoring")
    labels = set(re.findall(r'(\w+)="', text))
    assert labels <= {"endpoint", "method", "status", "code", "stage", "le", "finding", "pid"}
    assert f"The last {sent + 2} films, beside the 400 of the report" in page
    for identity in ("doe^jane", "jane doe", "mrn-4711", ".dcm"):
        assert identity not in text.lower() and identity not in page.lower()


def test_workers_are_added_up_and_a_dead_one_s_gauge_is_removed(tmp_path):
    """In processes of their own, since prometheus_client chooses how it counts when it is imported."""
    count = (
        "from app.web.metrics import Metrics; m = Metrics(); m.refusals.labels('busy').inc(); m.queue.set(2); "
        "import os; print(os.getpid())"
    )
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}

    def run(code):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    workers = [int(run(count)) for _ in range(2)]
    show = "from app.web.metrics import Metrics; print(Metrics().text().decode())"
    before = run(show)
    assert 'pleura_refusals_total{code="busy"} 2.0' in before and "pleura_queue_films 4.0" in before
    run(
        "import runpy, types; conf = runpy.run_path('gunicorn.conf.py'); "
        f"conf['child_exit'](None, types.SimpleNamespace(pid={workers[0]}))"
    )
    after = run(show)
    assert 'pleura_refusals_total{code="busy"} 2.0' in after and "pleura_queue_films 2.0" in after
