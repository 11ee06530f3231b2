"""What fine-tuning gives, and how settings are searched: on films of other patients, and never on test."""

import shutil

import numpy as np
import pandas as pd
import pytest

from app.segmentation.checkpoint import CheckpointMetadata, save_checkpoint
from app.segmentation.network.model import ModelConfig, build_model
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.films import PreparedFilms
from training.data.folds import fold_numbers
from training.data.subset import LEFT_OUT, write_subset
from training.errors import TrainingDataError, UserError
from training.evidence import own_films as measuring
from training.evidence.own_films import choose_patients, elsewhere, own_films, until


def table_of(count=400, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "image_id": [str(index) for index in range(count)],
            "patient_id": [f"p{index // 2}" for index in range(count)],
            "split": np.where(np.arange(count) % 8 == 0, "test", "train"),
            "label_source": "expert_mask",
            "view": np.where(np.arange(count) // 4 % 2, "AP", "PA"),
            "label": rng.integers(0, 2, count),
        }
    )


def test_own_films_and_measured_ones_are_of_other_patients_and_none_of_test():
    table = table_of()
    own, measured = choose_patients(table, "AP", 20, seed=1)
    assert not set(table["patient_id"].iloc[own]) & set(table["patient_id"].iloc[measured])
    assert (table["view"].iloc[[*own, *measured]] == "AP").all()
    assert "test" not in set(table["split"].iloc[[*own, *measured]])
    few, more = until(table, own, 5), until(table, own, 20)
    assert table["label"].iloc[few].sum() == 5 and table["label"].iloc[more].sum() == 20
    assert set(few) < set(more)


def test_too_few_films_are_told():
    with pytest.raises(TrainingDataError, match=r"positive AP films; with 1000 for the site"):
        choose_patients(table_of(), "AP", 1000, seed=1)


def test_no_folder_of_films_is_written_over(prepared_folder, tmp_path):
    folder, link = shutil.copytree(prepared_folder, tmp_path / "films"), tmp_path / "link"
    write_subset(prepared_folder, link, train=np.arange(3))
    for data, out in ((folder, folder), (prepared_folder, folder), (link, link)):
        with pytest.raises(UserError, match="which would be lost"):
            write_subset(data, out, train=np.arange(3))
    assert len(PreparedFilms.open(folder).images) == len(PreparedFilms.open(link).images)
    write_subset(prepared_folder, link, train=np.arange(4))
    with pytest.raises(TrainingDataError, match="No film has the view 'LL'"):
        elsewhere(prepared_folder, tmp_path / "elsewhere", "LL")


def test_elsewhere_there_is_no_patient_of_the_view(prepared_folder, tmp_path, monkeypatch):
    films = PreparedFilms.open(prepared_folder)
    views = np.where(np.arange(len(films.table)) % 6 == 0, "AP", "PA")
    source = tmp_path / "source"
    rows = {name: films.rows(name) for name in ("train", "val", "test")}
    write_subset(prepared_folder, source, **rows)
    films.table.assign(view=views).to_csv(source / "films.csv", index=False)
    elsewhere(source, tmp_path / "elsewhere", "AP")
    seen = PreparedFilms.open(tmp_path / "elsewhere")
    kept = seen.table[seen.table["split"] != LEFT_OUT]
    ap_patients = set(films.table.loc[views == "AP", "patient_id"])
    assert len(kept) and not set(kept["patient_id"]) & ap_patients
    assert "test" not in set(seen.table["split"])
    np.testing.assert_array_equal(seen.image(3), films.image(3))


def test_the_curve_begins_with_the_network_itself(prepared_folder, small_training, tmp_path, monkeypatch):
    base = tmp_path / "base.safetensors"
    tiny = ModelConfig(decoder_channels=(16, 16, 8, 8, 8))
    save_checkpoint(base, build_model(tiny), CheckpointMetadata("base", tiny, PreprocessingConfig(64)))
    films = PreparedFilms.open(prepared_folder)
    train, val = films.rows("train"), films.rows("val")
    monkeypatch.setattr(measuring, "choose_patients", lambda *given: (train, val))
    own_films(
        prepared_folder, base, tmp_path / "curve", positives=(2, 4), steps=1, batch_size=2, image_size=64, window=0,
        workers=0, resamples=5,
    )  # fmt: skip
    curve = pd.read_csv(tmp_path / "curve" / "own_films.csv")
    assert curve["positives"].unique().tolist() == [0, 2, 4]
    assert (curve.loc[curve["positives"] == 0, "difference"] == 0).all()
    assert "gain (95 % interval)" in (tmp_path / "curve" / "own_films.md").read_text()
    runs = {path: path.stat().st_mtime_ns for path in (tmp_path / "curve").glob("run-*/answers.csv")}
    assert len(runs) == 2
    own_films(
        prepared_folder, base, tmp_path / "curve", positives=(2, 4), steps=1, batch_size=2, image_size=64, window=0,
        workers=0, resamples=5,
    )  # fmt: skip
    assert {path: path.stat().st_mtime_ns for path in runs} == runs, "nothing is done twice"


def test_folds_refuse_an_id_that_names_nobody():
    table = table_of().assign(patient_id="Anon")
    with pytest.raises(TrainingDataError, match=r"400 film\(s\) have the patient_id 'Anon'"):
        fold_numbers(table, np.arange(400), 5)


def test_a_search_is_judged_by_a_fold_of_train(prepared_folder, tmp_path):
    pytest.importorskip("optuna")
    from training.learning.search import search

    search(
        prepared_folder, tmp_path / "search", "random", trials=1, fold="1/2", epochs=1, steps=1, image_size=64, window=0
    )
    table = PreparedFilms.open(tmp_path / "search" / "films").table
    before = PreparedFilms.open(prepared_folder).table
    used = table["split"].isin(["train", "val"])
    assert used.any() and set(before.loc[used, "split"]) == {"train"}
