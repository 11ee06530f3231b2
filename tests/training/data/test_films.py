"""Data sets are brought into one form without losing a pixel or mixing up a patient."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from app.segmentation.network.preprocessing import PreprocessingConfig, preprocess
from app.segmentation.reading.image_io import read_radiograph
from tests.support.film_files import to_dicom, to_png
from training.data.dataset import FilmDataset
from training.data.films import FilmRecord, PreparedFilms, hard_negatives
from training.data.manifest import read_manifest
from training.data.prepare import write_prepared
from training.data.sampling import Draw
from training.data.siim import decode_runs, read_siim, split_of, unite
from training.data.sources import SourceFilm
from training.errors import TrainingDataError
from training.releasing.phantom.drawing import draw_phantom


def test_hard_negatives_are_disputed_or_told_otherwise():
    table = pd.DataFrame(
        {
            "label": [0, 0, 0, 1, 1],
            "findings": ["Effusion|Pneumothorax", "", "No Finding", "Pneumothorax", ""],
            "pseudo_probability": ["", "0.9", "", "", "0.2"],
        }
    )
    assert hard_negatives(table).tolist() == [True, True, False, False, False]


def save_planes(name, planes):
    return lambda folder: np.save(folder / name, planes)


def write_lines(change):
    def spoil(folder):
        path = folder / "films.csv"
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    return spoil


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda folder: (folder / "images.npy").write_bytes(b""), "is damaged"),
        (lambda folder: (folder / "masks.npy").write_bytes((folder / "masks.npy").read_bytes()[:900]), "is damaged"),
        (save_planes("images.npy", np.array([{}])), "is damaged"),
        (save_planes("masks.npy", np.zeros((3, 256, 256), np.uint8)), "not of the same films"),
        (save_planes("images.npy", np.zeros((3, 256, 256), np.float32)), "not of the same films"),
        (lambda folder: (folder / "films.csv").write_bytes(b""), "is damaged"),
        (lambda folder: (folder / "films.csv").write_bytes(b"\xff\x00\n1,2,3"), "is damaged"),
        (write_lines(lambda lines: lines[:-2]), "not of the same films"),
        (write_lines(lambda lines: [lines[0].replace("label", "labels"), *lines[1:]]), "lacks a column"),
        (write_lines(lambda lines: [*lines[:-1], lines[-1][:-1] + "2"]), "label of 0 or 1"),
    ],
)
def test_a_damaged_folder_is_refused_in_a_sentence(prepared_folder, tmp_path, spoil, named):
    folder = shutil.copytree(prepared_folder, tmp_path / "films")
    spoil(folder)
    with pytest.raises(TrainingDataError, match=named) as error:
        PreparedFilms.open(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)


def test_prepared_films_keep_pixels_masks_and_labels(manifest_folder, films):
    for row, record in films.table.iterrows():
        served = read_radiograph((manifest_folder / "images" / f"{record.image_id}.png").read_bytes()).image
        np.testing.assert_array_equal(films.image(row), served)
        mask_file = manifest_folder / "masks" / f"{record.image_id}.png"
        assert record.label == mask_file.is_file()
        if mask_file.is_file():
            np.testing.assert_array_equal(films.true_mask(row), np.asarray(Image.open(mask_file)))


@pytest.mark.parametrize("encode", [to_png, lambda image: to_dicom(image, bits_stored=8)], ids=["png", "dicom"])
@pytest.mark.parametrize("image_size", [96, 256])
def test_training_and_serving_make_the_same_tensor(tmp_path, encode, image_size):
    path = tmp_path / "film"
    path.write_bytes(encode(draw_phantom(seed=3, size=256).image))
    write_prepared([SourceFilm(FilmRecord("film", "patient", "train"), path, lambda: None)], tmp_path / "prepared", 256)
    preprocessing = PreprocessingConfig(image_size)

    trained_on, *_ = FilmDataset(PreparedFilms.open(tmp_path / "prepared"), preprocessing)[Draw(0, 0)]
    served = preprocess(read_radiograph(path.read_bytes()).image, preprocessing)

    assert torch.equal(trained_on[None], torch.from_numpy(served))


def test_a_disputed_label_is_a_soft_one(tmp_path):
    mask = np.zeros((256, 256), dtype=bool)
    mask[40:80, 60:90] = True
    path = tmp_path / "film.png"
    path.write_bytes(to_png(draw_phantom(seed=3, size=256).image))
    records = [
        (FilmRecord("sure", "a", "train"), mask),
        (FilmRecord("marked", "b", "train", "pseudo_disputed", pseudo_probability="0.2"), mask),
        (FilmRecord("empty", "c", "train", "pseudo_disputed", pseudo_probability="0.9"), None),
    ]
    films = [SourceFilm(record, path, lambda mask=mask: mask) for record, mask in records]
    write_prepared(films, tmp_path / "prepared", 256)
    dataset = FilmDataset(PreparedFilms.open(tmp_path / "prepared"), PreprocessingConfig(256))
    shown = [dataset[Draw(row, 0)] for row in range(3)]
    assert [float(label) for *_, label, _ in shown] == pytest.approx([1, 0.6, 0.45])
    assert [float(mask.max()) for _, mask, *_ in shown] == pytest.approx([1, 0.6, 0])


def test_a_manifest_that_names_a_missing_film_is_refused(tmp_path):
    (tmp_path / "images").mkdir()
    pd.DataFrame([{"image_id": "gone", "split": "train", "label_source": "expert_mask"}]).to_csv(
        tmp_path / "manifest.csv", index=False
    )
    with pytest.raises(FileNotFoundError, match="gone"):
        list(read_manifest(tmp_path))


def test_an_unprepared_folder_names_the_cure(tmp_path):
    with pytest.raises(FileNotFoundError, match="python -m training prepare"):
        PreparedFilms.open(tmp_path)


def test_siim_runs_are_relative_and_run_down_the_columns():
    mask = decode_runs("1 2 3 1", (4, 3))
    expected = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]], dtype=bool)
    np.testing.assert_array_equal(mask, expected)
    with pytest.raises(ValueError, match="13 of a film with 12"):
        decode_runs("10 3", (4, 3))
    for text in ("1 2 3", "one 2", "5 -2", "1.5 2", f"1 {10**30}"):
        with pytest.raises(TrainingDataError, match="whole numbers"):
            decode_runs(text, (4, 3))


def test_all_annotations_of_a_film_are_united():
    np.testing.assert_array_equal(unite(["0 1", "2 2"], (4, 1))[:, 0], [True, False, True, True])
    assert unite(["-1"], (4, 1)) is None


def test_a_patient_stays_in_one_split_and_shares_are_kept():
    splits = pd.Series([split_of(f"p{index}", 0.1, 0.2, seed=0) for index in range(2000)])
    assert splits.value_counts(normalize=True).to_dict() == pytest.approx(
        {"train": 0.7, "test": 0.2, "val": 0.1}, abs=0.03
    )
    assert split_of("p7", 0.1, 0.2, seed=0) == split_of("p7", 0.1, 0.2, seed=0)


def test_siim_is_read_as_kaggle_ships_it(tmp_path, capsys):
    image = draw_phantom(seed=1, size=256).image
    for image_id in ("1.2.3", "1.2.4", "1.2.5"):
        folder = tmp_path / "dicom" / image_id / "series"
        folder.mkdir(parents=True)
        (folder / f"{image_id}.dcm").write_bytes(to_dicom(image, bits_stored=8))
    annotations = tmp_path / "train-rle.csv"
    annotations.write_text("ImageId, EncodedPixels\n1.2.3, -1\n1.2.4, 256 10\n1.2.4, 512 20\n1.2.9, -1\n")

    table = write_prepared(read_siim(tmp_path / "dicom", annotations), tmp_path / "out", 256)

    assert table["image_id"].tolist() == ["1.2.3", "1.2.4"], "the film without annotation is left out"
    told = capsys.readouterr().out
    assert "not name them: 1.2.5.dcm" in told and "no file is called so: 1.2.9" in told
    assert table["label"].tolist() == [0, 1]
    assert table["patient_id"].nunique() == 1
    again = tmp_path / "dicom" / "again"
    again.mkdir()
    (again / "1.2.4.dcm").write_bytes(b"no film")
    with pytest.raises(TrainingDataError, match=r"in two files: 1\.2\.4"):
        list(read_siim(tmp_path / "dicom", annotations))
    (again / "1.2.4.dcm").rename(again / "1.2.9.dcm")
    with pytest.raises(TrainingDataError, match=r"1\.2\.9\.dcm is no DICOM file that can be read"):
        list(read_siim(tmp_path / "dicom", annotations))
    mask = PreparedFilms.open(tmp_path / "out").true_mask(1)
    assert mask[:10, 1].all() and mask[:20, 2].all() and mask.sum() == 30


def test_a_table_of_patients_overrules_the_header(tmp_path):
    image = draw_phantom(seed=1, size=256).image
    for image_id in ("1.2.3", "1.2.4"):
        (tmp_path / f"{image_id}.dcm").write_bytes(to_dicom(image, bits_stored=8))
    (tmp_path / "rle.csv").write_text("ImageId, EncodedPixels\n1.2.3, -1\n1.2.4, -1\n")
    (tmp_path / "patients.csv").write_text("ImageId,PatientId\n1.2.4,17\n")
    films = list(read_siim(tmp_path, tmp_path / "rle.csv", tmp_path / "patients.csv"))
    assert films[1].record.patient_id == "17"
    assert films[0].record.patient_id not in ("17", "")


def test_a_damaged_film_is_named(tmp_path):
    path = tmp_path / "torn.png"
    path.write_bytes(to_png(draw_phantom(seed=0, size=256).image)[:2000])
    with pytest.raises(TrainingDataError, match="torn.png"):
        write_prepared([SourceFilm(FilmRecord("torn", "patient", "train"), path, lambda: None)], tmp_path / "out", 256)
    assert [file.name for file in tmp_path.iterdir()] == ["torn.png"], "nothing is left half-written"


def test_siim_without_a_matching_film_is_refused(tmp_path):
    (tmp_path / "rle.csv").write_text("ImageId, EncodedPixels\n1.2.3, -1\n")
    with pytest.raises(FileNotFoundError, match="rle.csv"):
        list(read_siim(tmp_path, tmp_path / "rle.csv"))
