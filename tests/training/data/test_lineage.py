"""No patient on both sides, no stranger unnoticed, and a training that cannot work is not begun."""

import numpy as np
import pandas as pd
import pytest

from tests.support.film_files import to_png
from training.__main__ import main
from training.data.films import PreparedFilms
from training.data.lineage import demand_both_classes, demand_clean_lineage, describe_films, patient_or_unknown
from training.errors import TrainingDataError
from training.releasing.phantom.drawing import draw_phantom

TABLE = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "d", "e", "f"],
        "patient_id": ["1", "1", "2", "3", "4", "5"],
        "split": ["train", "train", "train", "val", "val", "test"],
        "label_source": ["expert_mask", "expert_mask", "nih_report_text", *["expert_mask"] * 3],
        "label": [1, 0, 0, 1, 0, 1],
    }
)
TRAIN = np.arange(3)


def without_patient(table: pd.DataFrame, row: int) -> pd.DataFrame:
    changed = table.copy()
    changed.loc[row, "patient_id"] = patient_or_unknown("", table.loc[row, "image_id"])
    return changed


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_patient_of_another_split_is_refused(split):
    shared = TABLE.copy()
    shared.loc[shared["split"] == split, "patient_id"] = "1"
    with pytest.raises(TrainingDataError, match=r"1 patient\(s\) of train are in val or test, too: 1\."):
        demand_clean_lineage(shared, TRAIN)
    demand_clean_lineage(shared, np.array([2]))
    demand_clean_lineage(TABLE, TRAIN)


def test_films_of_unknown_patients_demand_a_word():
    with pytest.raises(TrainingDataError, match=r"1 film\(s\) of train have no patient_id.*: c\. .*--unknown_patients"):
        demand_clean_lineage(without_patient(TABLE, 2), TRAIN)
    demand_clean_lineage(without_patient(TABLE, 2), TRAIN, unknown_patients=True)
    demand_clean_lineage(without_patient(TABLE, 2), np.array([0, 1]))


def test_where_nobody_is_known_nothing_can_be_told():
    table = TABLE
    for row in range(6):
        table = without_patient(table, row)
    demand_clean_lineage(table, TRAIN)


def test_one_class_alone_is_refused():
    demand_both_classes(TABLE, TRAIN, "Train")
    for rows, counts in [([], "0 and 0"), ([0], "1 and 0"), ([1, 2], "0 and 2")]:
        with pytest.raises(TrainingDataError, match=f"Train needs .*; it has {counts}"):
            demand_both_classes(TABLE, np.array(rows, dtype=int), "Train")


def test_provenance_tells_the_same_films_from_others():
    told = describe_films(without_patient(TABLE, 2), TRAIN)
    assert (told["films"], told["positive"], told["patients"], told["positive_patients"]) == (3, 1, 2, 1)
    assert told["unknown_patients"] == 1
    assert told["by_source"] == {"expert_mask": [2, 1], "nih_report_text": [1, 0]}
    assert told["sha256"] == describe_films(TABLE, TRAIN[::-1])["sha256"] != describe_films(TABLE, TRAIN[:2])["sha256"]


@pytest.fixture
def source(tmp_path):
    """A manifest of four films, whose third has no patient."""
    folder = tmp_path / "source"
    (folder / "images").mkdir(parents=True)
    rows = []
    for index, split in enumerate(["train", "train", "train", "val"]):
        (folder / "images" / f"{index}.png").write_bytes(to_png(draw_phantom(index, 256).image))
        rows.append(
            {"image_id": str(index), "patient_id": "" if index == 2 else f"p{index}", "split": split}
            | {"label_source": "pseudo_confident", "report_probability": "0.1", "patient_probability": "0.7"}
            | {"leak_probability": "0.01"}
        )
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    return folder


def test_prepare_refuses_strangers_in_one_sentence_and_keeps_what_is_known_of_them(source, tmp_path):
    command = ["prepare", "--source", str(source), "--out", str(tmp_path / "films"), "--size", "64"]
    with pytest.raises(SystemExit, match="error: 1 film.* 2. Find their patients"):
        main(command)
    assert not (tmp_path / "films").exists()
    main([*command, "--unknown_patients", "true"])
    table = PreparedFilms.open(tmp_path / "films").table
    assert table["patient_id"].tolist() == ["p0", "p1", "unknown: 2", "p3"]
    columns = ["report_probability", "patient_probability", "leak_probability"]
    assert table[columns].iloc[0].tolist() == ["0.1", "0.7", "0.01"]


def test_a_folder_of_an_older_version_lacks_columns_and_can_be_read(prepared_folder, tmp_path):
    for name in ("images.npy", "masks.npy"):
        (tmp_path / name).symlink_to(prepared_folder / name)
    older = pd.read_csv(prepared_folder / "films.csv").drop(columns=["leak_probability"])
    older.to_csv(tmp_path / "films.csv", index=False)
    assert (PreparedFilms.open(tmp_path).table["leak_probability"] == "").all()
