"""What the reader says of an answer, and what becomes of it: verdict, drawn mask, copy for training."""

import errno
import io
import re
from copy import copy

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from app import create_app
from app.segmentation.decision.calibration import Finding
from app.segmentation.decision.doubts import UNFAMILIAR
from app.studies.drawing import mask_png
from app.studies.masks import read_mask
from app.studies.whole_file import write_whole
from app.web.services import services
from tests.support.answers import SIDE
from tests.support.reader import PATIENT_KEY, Reader, decoded, ring
from training.data.films import PreparedFilms
from training.data.prepare import prepare


@pytest.fixture
def giving_app(checkpoint_path, tmp_path):
    """An application that asks for films, in `tmp_path / "given"`."""
    return create_app(
        {
            "TESTING": True,
            "WEIGHTS": str(checkpoint_path),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'giving.sqlite'}",
            "SECRET_KEY": "a secret of more than thirty-two characters",
            "FEEDBACK_FOLDER": str(tmp_path / "given"),
        }
    )


@pytest.fixture
def reader(app) -> Reader:
    return Reader(app)


@pytest.fixture
def giver(giving_app) -> Reader:
    return Reader(giving_app)


@pytest.fixture
def given(giver, tmp_path):
    """The folder of films for training; it is empty but for its manifest."""
    return tmp_path / "given"


def pictures(folder) -> list:
    return [*folder.glob("images/*"), *folder.glob("masks/*")]


def rows(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "manifest.csv", dtype=str)


@pytest.mark.parametrize("verdict", ["right", "wrong"])
def test_a_verdict_is_kept_shown_and_taken_back(reader, verdict):
    label = verdict.capitalize()
    assert 'aria-pressed="true"' not in reader.section()
    answer = reader.post("/verdict", verdict=verdict)
    assert (answer.status_code, answer.location) == (303, f"{reader.place}#feedback")
    assert reader.study.verdict == verdict
    assert re.search(rf'value="" aria-pressed="true">{label}</button>', reader.section())
    reader.post("/verdict", verdict="")
    assert reader.study.verdict is None
    assert re.search(rf'value="{verdict}" aria-pressed="false">{label}</button>', reader.section())


def test_no_other_verdict_is_taken(reader):
    assert reader.post("/verdict", verdict="brilliant").status_code == 400
    assert reader.study.verdict is None


def test_a_drawn_mask_is_kept_and_can_be_downloaded(reader):
    assert reader.client.get(f"{reader.place}/reader_mask.png").status_code == 404
    answer = reader.draw(ring())
    assert (answer.status_code, answer.location) == (303, f"{reader.place}#feedback")
    assert reader.study.verdict == "wrong"
    sent = reader.client.get(f"{reader.place}/reader_mask.png")
    assert sent.mimetype == "image/png"
    np.testing.assert_array_equal(decoded(sent.data), ring() * 255)
    assert f"Your mask marks {100 * ring().mean():.2f}\u00a0% of the film" in reader.section()
    assert f'href="{reader.place}/reader_mask.png" download=' in reader.section()


def test_the_result_shows_the_drawn_mask_and_on_request_the_model_s(reader):
    assert drawn_layers(reader) == {"area": (200, 40, 259, 79)}
    reader.draw(ring())
    assert drawn_layers(reader) == {"area": (55, 85, 185, 215), "model": (200, 40, 259, 79)}
    reader.draw(ring() & False)
    assert drawn_layers(reader) == {"model": (200, 40, 259, 79)}
    assert "Your mask marks nothing on this film" in reader.client.get(reader.place).text


def drawn_layers(reader: Reader) -> dict[str, tuple[int, ...]]:
    """The areas that the result page can draw: left, top, right and bottom of each, in marked pixels."""
    paths = re.findall(r'data-layer="(\w+)" d="([^"]+)"', reader.client.get(reader.place).text)
    points = {layer: np.array(re.findall(r"(\d+)\.5 (\d+)\.5", path), int) for layer, path in paths}
    return {layer: (*places.min(axis=0).tolist(), *places.max(axis=0).tolist()) for layer, places in points.items()}


def test_there_is_nothing_to_judge_where_the_answer_is_withheld(app):
    reader = Reader(app, Finding.INDETERMINATE, marked=False, doubts=(UNFAMILIAR,))
    assert "Right" not in reader.section()
    assert "Draw a mask" in reader.section()
    assert reader.post("/verdict", verdict="right").status_code == 409
    for file in ("mask.png", "segmentation.dcm", "probability.dcm"):
        assert reader.client.get(f"{reader.place}/exports/{file}").status_code == 404
    reader.draw(ring())
    assert reader.client.get(f"{reader.place}/exports/mask.png").status_code == 200
    assert "Your mask marks" in reader.section()
    assert reader.study.verdict is None
    reader.post("/correct/discard")
    assert reader.study.verdict is None and "Draw a mask" in reader.section()


def test_drawing_nothing_says_that_there_is_nothing(reader):
    reader.draw(np.zeros((SIDE, SIDE), dtype=bool))
    assert "Your mask marks nothing" in reader.section()


def test_a_drawn_mask_can_be_discarded(reader):
    reader.draw(ring())
    reader.post("/correct/discard")
    assert reader.study.corrected_png is None
    assert reader.study.verdict == "wrong"
    assert "Correct the mask" in reader.section()


def test_the_model_s_mask_is_no_correction(reader):
    reader.draw(ring())
    reader.draw(reader.model_mask)
    assert reader.study.corrected_png is None


def test_an_empty_mask_settles_what_the_answer_left_open(app):
    reader = Reader(app, Finding.INDETERMINATE, marked=False)
    reader.draw(reader.model_mask)
    assert reader.study.corrected_png
    assert "Your mask marks nothing" in reader.section()


def test_a_verdict_does_not_wipe_out_a_drawing(reader):
    reader.draw(ring())
    answer = reader.post("/verdict", verdict="right")
    assert answer.status_code == 409
    assert "Discard it before you judge" in answer.text
    assert reader.study.corrected_png
    assert "Right</button>" not in reader.section()


def test_the_model_s_mask_comes_in_the_pixels_of_the_film_as_displayed(app):
    reader = Reader(app, side=5000)
    shown = Image.open(io.BytesIO(reader.client.get(f"{reader.place}/film.png").data)).size
    mask = decoded(reader.client.get(f"{reader.place}/model_mask.png").data)
    assert mask.shape == shown[::-1] == (4096, 4096)
    assert mask.any() and mask.mean() / 255 == pytest.approx(reader.model_mask.mean(), rel=0.05)


def no_masks() -> dict[str, bytes]:
    smaller, larger = (mask_png(np.zeros((side, side), dtype=bool)) for side in (SIDE - 1, SIDE + 1))
    jpeg = cv2.imencode(".jpg", np.zeros((SIDE, SIDE), np.uint8))[1].tobytes()
    return {"nothing": b"", "text": b"no mask", "smaller": smaller, "larger": larger, "JPEG": jpeg} | {
        "cut": mask_png(np.random.default_rng(0).random((SIDE, SIDE)) > 0.5)[:3000]
    }


@pytest.mark.parametrize("kind", no_masks())
def test_what_is_no_mask_of_the_film_is_refused(reader, kind):
    answer = reader.post("/correct", mask=(io.BytesIO(no_masks()[kind]), "mask.png"))
    assert answer.status_code == 400
    assert "invalid_mask" in answer.text
    assert reader.study.corrected_png is None


def test_a_mask_s_greys_are_decided_at_half(reader):
    greys = np.full((SIDE, SIDE), 127, np.uint8)
    greys[:10] = 128
    reader.post("/correct", mask=(io.BytesIO(cv2.imencode(".png", greys)[1].tobytes()), "mask.png"))
    assert decoded(reader.study.corrected_png).astype(bool).sum() == 10 * SIDE


def test_another_session_can_do_nothing(giver, given):
    giver.draw(ring())
    giver.post("/training", consent="yes")
    stranger = Reader.__new__(Reader)
    stranger.app, stranger.place, stranger.client = giver.app, giver.place, giver.app.test_client()
    for path in ("/correct", "/model_mask.png", "/reader_mask.png"):
        assert stranger.client.get(stranger.place + path).status_code == 404
    assert stranger.post("/verdict", verdict="").status_code == 404
    assert stranger.draw(ring()).status_code == 404
    for path in ("/correct/discard", "/training/withdraw"):
        assert stranger.post(path).status_code == 404
    assert stranger.post("/training", consent="yes").status_code == 404
    assert giver.study.corrected_png and giver.study.training_id
    assert len(pictures(given)) == 2


@pytest.mark.parametrize("path", ["/verdict", "/correct", "/correct/discard", "/training", "/training/withdraw"])
def test_forged_forms_are_refused(giver, path):
    answer = giver.client.post(giver.place + path, data={"verdict": "right", "consent": "yes"})
    assert answer.status_code == 400
    assert "form_expired" in answer.text


def test_without_a_folder_nobody_is_asked(reader):
    reader.post("/verdict", verdict="right")
    assert "training" not in reader.section()
    assert reader.post("/training", consent="yes").status_code == 400
    assert reader.study.training_id is None


def test_a_film_is_given_only_with_consent_to_what_somebody_vouches_for(giver, given):
    assert giver.post("/training", consent="yes").status_code == 400
    giver.post("/verdict", verdict="wrong")
    assert giver.post("/training", consent="yes").status_code == 400
    assert 'name="consent"' not in giver.section()
    giver.post("/verdict", verdict="right")
    assert 'name="consent" value="yes" required' in giver.section()
    assert "text burned into it can identify the patient" in giver.section()
    for form in ({}, {"consent": ""}, {"consent": "no"}):
        assert giver.post("/training", **form).status_code == 400
    assert pictures(given) == []
    assert giver.post("/training", consent="yes").status_code == 303
    assert len(pictures(given)) == 2
    assert "Withdraw and delete the copy" in giver.section()


@pytest.mark.parametrize(
    ("finding", "marked", "tells"),
    [
        (Finding.POSITIVE, True, True),
        (Finding.POSITIVE, False, False),
        (Finding.NEGATIVE, False, True),
        (Finding.INDETERMINATE, False, False),
    ],
)
def test_right_vouches_for_what_was_said_only(giving_app, tmp_path, finding, marked, tells):
    giver = Reader(giving_app, finding, marked)
    giver.post("/verdict", verdict="right")
    assert giver.post("/training", consent="yes").status_code == (303 if tells else 400)
    assert ("says neither where" in giver.section()) == (not tells)
    if tells:
        assert rows(tmp_path / "given")["drawn"].item() == "no"
        mask = next((tmp_path / "given" / "masks").iterdir()).read_bytes()
        np.testing.assert_array_equal(decoded(mask), giver.model_mask * 255)
    giver.draw(ring())
    assert giver.post("/training", consent="yes").status_code == 303


def test_what_is_given_says_nothing_of_the_patient(giver, given):
    giver.draw(ring())
    giver.post("/training", consent="yes")
    row = rows(given).iloc[0]
    assert row["patient_id"] == PATIENT_KEY[:24]
    assert row["image_id"] != giver.answer.id
    assert (row["split"], row["label_source"], row["drawn"]) == ("train", "reader_mask", "yes")
    for path in (given / "manifest.csv", *pictures(given)):
        content = path.read_bytes()
        for word in (b"Doe", b"Jane", b"2031", giver.answer.id.encode()):
            assert word not in content and word.decode() not in path.name
    for path in pictures(given):
        assert Image.open(path).info == {}  # no text, no date, no profile


def test_a_film_of_an_unnamed_patient_is_a_patient_of_its_own(giver, given):
    services(giver.app).studies.update(giver.answer.id, "ann", patient_key=None)
    giver.draw(ring())
    giver.post("/training", consent="yes")
    assert rows(given)["patient_id"].item() == rows(given)["image_id"].item()


@pytest.mark.parametrize(
    "change",
    [
        lambda giver: giver.post("/training/withdraw"),
        lambda giver: giver.post("/correct/discard"),
        lambda giver: giver.draw(~ring()),
    ],
    ids=["withdrawn", "discarded", "drawn anew"],
)
def test_a_copy_is_taken_back(giver, given, change):
    giver.draw(ring())
    giver.post("/training", consent="yes")
    assert change(giver).status_code == 303
    assert pictures(given) == []
    assert len(rows(given)) == 0
    assert giver.study.training_id is None
    assert "Withdraw" not in giver.section()


def test_giving_twice_leaves_one_copy(giver, given):
    giver.draw(ring())
    for _ in range(2):
        assert giver.post("/training", consent="yes").status_code == 303
    assert len(pictures(given)) == 2
    giver.post("/training/withdraw")
    assert pictures(given) == []


def test_a_copy_outlasts_its_film(giver, given):
    giver.draw(ring())
    giver.post("/training", consent="yes")
    assert giver.post("/delete").status_code == 303
    assert giver.study is None
    assert len(pictures(given)) == 2
    assert giver.post("/training/withdraw").status_code == 404


def test_a_film_that_expires_while_it_is_given_leaves_no_copy(giver, given, monkeypatch):
    giver.draw(ring())
    monkeypatch.setattr(services(giver.app).studies, "update", lambda *_, **__: False)
    assert giver.post("/training", consent="yes").status_code == 404
    assert pictures(given) == []


def test_a_copy_that_finds_no_room_is_not_said_to_be_kept(giver, given, monkeypatch):
    giver.draw(ring())
    fill_up(monkeypatch, "masks")
    refused = giver.post("/training", consent="yes")
    assert refused.status_code == 507 and "storage_full" in refused.text
    assert pictures(given) == [] and len(rows(given)) == 0
    assert giver.study.training_id is None
    assert "Withdraw and delete the copy" not in giver.section()


def test_consent_is_withdrawn_on_a_full_disk(giver, given, monkeypatch):
    giver.draw(ring())
    giver.post("/training", consent="yes")
    with monkeypatch.context() as full:
        fill_up(full, "manifest.csv")
        assert giver.post("/training/withdraw").status_code == 507
        assert pictures(given) == []
    assert giver.post("/training/withdraw").status_code == 303
    assert len(rows(given)) == 0


def fill_up(monkeypatch, place: str) -> None:
    """Leave no room for one kind of files of the folder."""

    def write(path, data, mode):
        if place in str(path):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_whole(path, data, mode)

    monkeypatch.setattr("app.studies.training_set.write_whole", write)


def in_another_tab(giver) -> Reader:
    other = copy(giver)
    other.client = giver.app.test_client()
    with other.client.session_transaction() as session:
        session["owner"] = "ann"
    return other


def test_a_film_given_while_its_mask_is_replaced_leaves_no_copy(giver, given, monkeypatch):
    giver.draw(ring())

    def read(data, size):
        monkeypatch.undo()
        assert in_another_tab(giver).post("/training", consent="yes").status_code == 303
        assert len(pictures(given)) == 2
        return read_mask(data, size)

    monkeypatch.setattr("app.web.feedback.read_mask", read)
    assert giver.draw(~ring()).status_code == 303
    assert pictures(given) == [] and len(rows(given)) == 0
    assert giver.study.training_id is None


def test_a_mask_replaced_while_its_film_is_given_leaves_no_copy(giver, given, monkeypatch):
    giver.draw(ring())
    films = services(giver.app).training_set
    add = films.add

    def add_late(*film):
        assert in_another_tab(giver).draw(~ring()).status_code == 303
        add(*film)

    monkeypatch.setattr(films, "add", add_late)
    assert giver.post("/training", consent="yes").status_code == 303
    assert pictures(given) == [] and len(rows(given)) == 0
    assert giver.study.training_id is None
    assert decoded(giver.study.corrected_png).astype(bool).tolist() == (~ring()).tolist()


def test_what_was_drawn_is_what_training_learns(giver, given, tmp_path):
    giver.draw(ring())
    giver.post("/training", consent="yes")
    prepare(given, tmp_path / "prepared", size=SIDE)
    prepared = PreparedFilms.open(tmp_path / "prepared")
    np.testing.assert_array_equal(prepared.true_mask(0), ring())
    np.testing.assert_allclose(prepared.image(0), giver.image, atol=1 / 255)


def test_no_pneumothorax_here_is_one_press(reader):
    assert "No pneumothorax here" in reader.section()
    assert reader.post("/correct/nothing").status_code == 303
    assert not decoded(reader.study.corrected_png).any()
    assert reader.study.verdict == "wrong"
    assert "Your mask marks nothing" in reader.section()


def test_an_answer_that_marks_nothing_is_not_corrected_by_nothing(app):
    reader = Reader(app, Finding.NEGATIVE, marked=False)
    assert "No pneumothorax here" not in reader.section()
    reader.post("/correct/nothing")
    assert reader.study.corrected_png is None
