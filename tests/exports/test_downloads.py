"""Downloads over HTTP: who gets them, under which name, and how much they cost."""

import csv
import io
import json
import re
import subprocess
import sys

import pydicom
import pytest
from pydicom.uid import UID

from app.config import ROOT
from app.exports.catalogue import exports_of
from app.web.services import services
from tests.support.film_files import to_dicom, to_png
from tests.support.forms import upload
from training.releasing.phantom.drawing import draw_phantom

IMAGE = draw_phantom(1, 300).image
FILES = {
    "overlay.png": (b"\x89PNG", "image/png"),
    "mask.png": (b"\x89PNG", "image/png"),
    "answer.json": (b"{", "application/json"),
    "report.pdf": (b"%PDF-", "application/pdf"),
    "segmentation.dcm": (bytes(128) + b"DICM", "application/dicom"),
    "probability.dcm": (bytes(128) + b"DICM", "application/dicom"),
    "capture.dcm": (bytes(128) + b"DICM", "application/dicom"),
    "report.dcm": (bytes(128) + b"DICM", "application/dicom"),
}


@pytest.fixture
def place(client) -> str:
    """The address of an uploaded DICOM film."""
    film = to_dicom(IMAGE, PatientName="Doe^Jane", PatientID="D-4711", StudyDate="20240131")
    return upload(client, (film, "Doe Jäne (1).dcm")).location


@pytest.mark.parametrize("file", FILES)
def test_every_export_is_downloaded_and_cached_nowhere(client, place, file):
    answer = client.get(f"{place}/exports/{file}")
    start, media_type = FILES[file]
    assert answer.status_code == 200
    assert answer.data.startswith(start)
    assert answer.mimetype == media_type
    assert answer.headers["Cache-Control"] == "no-store"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename=")
    assert f"-pleura-{file}" in disposition
    assert not re.search(r"[()\\/\r\n]", disposition)


def test_a_stranger_gets_nothing(app, place):
    stranger = app.test_client()
    for file in FILES:
        assert stranger.get(f"{place}/exports/{file}").status_code == 404
    assert "Doe" not in stranger.get("/worklist.csv").text


def test_an_unknown_export_is_not_there(client, place):
    assert client.get(f"{place}/exports/film.exe").status_code == 404
    assert client.get(f"{place}/exports/film.dcm").status_code == 404  # the archive has it


def test_an_expired_study_has_no_exports_and_leaves_no_header(app, client, place):
    store = services(app).studies
    now = store.clock()
    store.clock = lambda: now + 3601
    assert client.get(f"{place}/exports/report.pdf").status_code == 404
    store.purge()
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM studies").scalar() == 0


def test_the_film_of_a_png_can_be_had_as_dicom(client):
    place = upload(client, (to_png(IMAGE), "chest.png")).location
    film = pydicom.dcmread(io.BytesIO(client.get(f"{place}/exports/film.dcm").data))
    report = pydicom.dcmread(io.BytesIO(client.get(f"{place}/exports/report.dcm").data))
    assert film.StudyInstanceUID == report.StudyInstanceUID
    assert UID(film.SOPInstanceUID).is_valid


@pytest.mark.parametrize("file", ["report.pdf", "segmentation.dcm", "probability.dcm", "capture.dcm", "report.dcm"])
def test_on_request_an_export_does_not_say_whose_it_is(client, place, file):
    assert b"D-4711" in client.get(f"{place}/exports/report.dcm").data
    answer = client.get(f"{place}/exports/{file}?deidentify=1")
    assert b"D-4711" not in answer.data
    assert b"Doe" not in answer.data
    assert "Doe" not in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "query",
    [
        *("deidentify=true", "deidentify=yes", "deidentify=on", "deidentify=", "deidentify", "deidentify=%201"),
        *("deidentify=0&deidentify=1", "Deidentify=1", "de-identify=1", "anonymous=1"),
    ],
)
def test_what_is_asked_in_other_words_sends_nothing(client, place, query):
    answer = client.get(f"{place}/exports/answer.json?{query}")
    assert answer.status_code == 400
    assert "deidentify=1 or deidentify=0" in answer.text
    assert "Content-Disposition" not in answer.headers


def test_a_list_without_names_of_files_is_not_to_be_had(client, place):
    answer = client.get("/worklist.csv?deidentify=1")
    assert answer.status_code == 400
    assert "always names its files" in answer.text


def test_whose_film_it_is_can_be_asked_for(client, place):
    assert b"D-4711" in client.get(f"{place}/exports/report.dcm?deidentify=0").data


def test_no_export_on_request_quotes_the_header_or_tells_the_age(app, client):
    told = {"PatientAge": "095Y", "BodyPartExamined": "HAND OF MAX", "StudyDate": "20240131"}
    place = upload(client, (to_dicom(IMAGE, **told), "max.dcm")).location
    study_id = place.rsplit("/", 1)[1]
    with app.test_request_context():
        files = [export.file for export in exports_of(services(app).studies.get(study_id, owner_of(client)))]
    assert b"HAND OF MAX" in client.get(f"{place}/exports/answer.json").data
    assert b"HAND OF MAX" in client.get(f"{place}/exports/capture.dcm").data
    assert {"answer.json", "capture.dcm", "report.dcm", "report.pdf"} <= set(files)
    for file in files:
        data = client.get(f"{place}/exports/{file}?deidentify=1").data
        for word in (b"OF MAX", b"95 years", b"095Y", study_id.encode()):
            assert word not in data, (file, word)
    answer = json.loads(client.get(f"{place}/exports/answer.json?deidentify=1").data)
    assert "Age outside training." in [found["message"] for found in answer["quality"]]


def owner_of(client) -> str:
    with client.session_transaction() as session:
        return session["owner"]


def test_the_answer_is_the_api_s_with_the_reader_s_say(client, place):
    answer = json.loads(client.get(f"{place}/exports/answer.json").data)
    assert answer["id"] in place
    assert answer["notice"].startswith("Research use only")
    assert len(answer["model"]["sha256"]) == 64
    assert all(found["advice"] for found in answer["quality"]) and answer["quality"]
    assert answer["reader"] == {"verdict": None, "corrected_regions": None, "corrected_mask": None}


def test_the_list_is_downloaded_in_its_order(client, place):
    upload(client, (to_png(IMAGE), "other.png"))
    answer = client.get("/worklist.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=pleura-worklist.csv"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    page = client.get("/").text
    assert sorted(rows, key=lambda row: page.index(row["file"])) == rows
    assert len(rows) == 2


def test_starting_does_not_import_what_only_exports_need():
    wanted = "[m for m in ('highdicom', 'fpdf', 'dicomanonymizer') if m in sys.modules]"
    code = f"import sys, app.web.downloads; print({wanted})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
