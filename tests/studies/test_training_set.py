"""The folder of films that readers gave: what is in it, who can read it, and that training can."""

import multiprocessing
import stat

import cv2
import numpy as np
import pandas as pd
import pytest

from app.config import SettingError
from app.studies.drawing import mask_png
from app.studies.training_set import COLUMNS, TrainingSet
from tests.support.film_files import to_png
from training.data.films import PreparedFilms
from training.data.manifest import read_manifest
from training.data.prepare import prepare
from training.releasing.phantom.drawing import draw_phantom


def row(image_id: str, **changes: str) -> dict[str, str]:
    fixed = {"split": "train", "label_source": "reader_mask", "drawn": "yes", "finding": "negative"}
    known = {"image_id": image_id, "patient_id": "f00d", "probability": "0.0400", "model": "abcdef123456"}
    return {**fixed, **known, **changes}


@pytest.fixture
def films(tmp_path) -> TrainingSet:
    return TrainingSet(tmp_path / "given" / "films")


def listed(films: TrainingSet) -> list[str]:
    return list(pd.read_csv(films.folder / "manifest.csv", dtype=str)["image_id"])


def files(films: TrainingSet) -> set[str]:
    return {str(path.relative_to(films.folder)) for path in films.folder.rglob("*") if path.is_file()}


def add_ten(folder, letter: str) -> None:
    films = TrainingSet(folder)
    for number in range(10):
        films.add(row(f"{letter}{number}"), b"film", b"mask")


def test_a_film_is_kept_and_removed(films):
    films.add(row("one"), b"film", b"mask")
    films.add(row("two"), b"film 2", b"mask 2")
    assert listed(films) == ["one", "two"]
    assert (films.folder / "images" / "two.png").read_bytes() == b"film 2"
    assert (films.folder / "masks" / "two.png").read_bytes() == b"mask 2"
    films.remove("two")
    assert files(films) == {".lock", "manifest.csv", "images/one.png", "masks/one.png"}
    assert listed(films) == ["one"]


def test_removing_what_is_not_there_is_no_error(films):
    films.remove("one")
    assert files(films) == {".lock", "manifest.csv"}


def test_a_film_takes_the_place_of_an_earlier_copy(films):
    films.add(row("one", drawn="no"), b"film", b"the model's")
    films.add(row("one", drawn="yes"), b"film", b"the reader's")
    assert listed(films) == ["one"]
    assert (films.folder / "masks" / "one.png").read_bytes() == b"the reader's"
    assert pd.read_csv(films.folder / "manifest.csv")["drawn"].item() == "yes"


def test_only_its_owner_can_read_it(films):
    films.add(row("one"), b"film", b"mask")
    for path in (films.folder, *films.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_second_start_goes_on(films):
    films.add(row("one"), b"film", b"mask")
    again = TrainingSet(films.folder)
    again.add(row("two"), b"film", b"mask")
    assert listed(again) == ["one", "two"]


def test_processes_take_turns(films):
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=add_ten, args=(films.folder, letter)) for letter in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert sorted(listed(films)) == sorted(f"{letter}{number}" for letter in "ab" for number in range(10))


def test_an_unusable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SettingError, match=r"PLEURA_FEEDBACK_FOLDER cannot be written to: .*file"):
        TrainingSet(tmp_path / "file" / "films")


@pytest.mark.parametrize("content", [bytes(range(256)), b"\0"])
def test_what_is_no_table_is_left_as_it_is(tmp_path, content):
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(SettingError, match="holds other films"):
        TrainingSet(tmp_path)
    assert (tmp_path / "manifest.csv").read_bytes() == content


def test_another_data_set_is_left_as_it_is(tmp_path):
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("image_id,split,label_source\none,test,expert_mask\n")
    with pytest.raises(SettingError, match="holds other films"):
        TrainingSet(tmp_path)
    assert manifest.read_text().endswith("one,test,expert_mask\n")


@pytest.mark.parametrize("image_id", ["0123456789", "1e5", "00a1"])
def test_ids_that_look_like_numbers_stay_as_they_are(films, image_id):
    films.add(row(image_id, patient_id=image_id), to_png(np.zeros((300, 300))), mask_png(np.zeros((300, 300), bool)))
    record = next(read_manifest(films.folder)).record
    assert (record.image_id, record.patient_id) == (image_id, image_id)


def test_training_prepares_films_and_masks_as_they_were_given(films, tmp_path):
    phantom = draw_phantom(3, 320)
    nothing = np.zeros_like(phantom.true_mask)
    films.add(row("one"), to_png(phantom.image), mask_png(phantom.true_mask))
    films.add(row("two", patient_id="beef", drawn="no"), to_png(phantom.image), mask_png(nothing))
    prepare(films.folder, tmp_path / "prepared", size=320)
    prepared = PreparedFilms.open(tmp_path / "prepared")
    assert list(prepared.table["label"]) == [1, 0]
    assert list(prepared.table["patient_id"]) == ["f00d", "beef"]
    assert list(prepared.rows("train", ["reader_mask"])) == [0, 1]
    np.testing.assert_array_equal(prepared.true_mask(0), phantom.true_mask)
    np.testing.assert_allclose(prepared.image(0), phantom.image, atol=1 / 255)


def test_it_can_be_joined_to_another_source_as_the_guide_says(films, tmp_path):
    image = to_png(draw_phantom(3, 320).image)
    films.add(row("one"), image, mask_png(np.ones((320, 320), bool)))
    (films.folder / "images" / "own.png").write_bytes(image)
    own = tmp_path / "own.csv"
    own.write_text("image_id,patient_id,split,label_source,view\nown,7,val,expert_mask,PA\n")
    both = [pd.read_csv(path, dtype=str) for path in (own, films.folder / "manifest.csv")]
    pd.concat(both).to_csv(films.folder / "manifest.csv", index=False)
    records = [film.record for film in read_manifest(films.folder)]
    assert [(record.image_id, record.split, record.view) for record in records] == [
        ("own", "val", "PA"),
        ("one", "train", ""),
    ]


def test_masks_are_what_training_takes_for_marked(films):
    """`read_manifest` takes every grey above 0 for marked, so a mask must hold 0 and 255 only."""
    mask = draw_phantom(3, 320).true_mask
    decoded = cv2.imdecode(np.frombuffer(mask_png(mask), np.uint8), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(decoded)) == {0, 255}
    assert len(COLUMNS) == len(set(COLUMNS))
