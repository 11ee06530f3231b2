"""The first hour of a researcher: every slip is refused in one sentence, or understood, and nothing is half-written."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from app.config import ROOT
from tests.support.film_sets import write_film_set
from training.__main__ import main
from training.data.films import PreparedFilms

SPLITS = ["train"] * 4 + ["val"] * 4


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_film_set(tmp_path_factory.mktemp("good") / "films", SPLITS)


@pytest.fixture
def folder(good, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(good, tmp_path / "films")


def prepare(folder) -> PreparedFilms:
    out = folder.parent / "prepared"
    main(["prepare", "--source", str(folder), "--out", str(out), "--size", "64"])
    return PreparedFilms.open(out)


def refusal(folder, capsys) -> str:
    """The one sentence of a refusal."""
    with pytest.raises(SystemExit) as exit:
        prepare(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["films"], "nothing is left half-written"
    message = str(exit.value)
    assert message.startswith("error: ") and "\n" not in message and "Traceback" not in capsys.readouterr().err
    return message


def manifest(folder):
    return pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False)


def write(folder, table, **how):
    table.to_csv(folder / "manifest.csv", index=False, **how)


def cell(column, value):
    def spoil(folder):
        table = manifest(folder)
        table.loc[2, column] = value
        write(folder, table)

    return spoil


def rename_column(old, new):
    return lambda folder: write(folder, manifest(folder).rename(columns={old: new}))


def mask_of(folder):
    return folder / "masks" / "film-01.png"


def save_mask(change):
    def spoil(folder):
        mask = np.asarray(Image.open(mask_of(folder))).astype(np.uint8)
        Image.fromarray(change(mask)).save(mask_of(folder))

    return spoil


def twice(folder):
    table = manifest(folder)
    write(folder, pd.concat([table, table.iloc[[2]]]))


def move(folder, name):
    (folder / "masks").rename(folder / name)


def text(old, new):
    def spoil(folder):
        path = folder / "manifest.csv"
        path.write_bytes(path.read_bytes().replace(old, new, 1))

    return spoil


MISTAKES = {
    "no masks folder": (lambda folder: shutil.rmtree(folder / "masks"), r"masks is no folder"),
    "a folder of another name": (
        lambda folder: (write(folder, manifest(folder).assign(label_source="expert_normal")), move(folder, "mask")),
        r"masks is no folder \(did you mean mask\?\), and all 8 film",
    ),
    "a folder in capitals": (lambda folder: move(folder, "Masks"), r"did you mean Masks\?"),
    "no images folder": (lambda folder: shutil.rmtree(folder / "images"), r"images is no folder"),
    "no manifest": (lambda folder: (folder / "manifest.csv").unlink(), r"holds no manifest\.csv"),
    "an empty manifest": (lambda folder: (folder / "manifest.csv").write_text(""), r"manifest\.csv is empty"),
    "a manifest without rows": (lambda folder: write(folder, manifest(folder)[:0]), r"but no film"),
    "a manifest in Latin-1": (text(b"patient-0", b"patient-\xe9"), r"UTF-8"),
    "masks as JPEG": (lambda folder: mask_of(folder).rename(folder / "masks" / "film-01.jpg"), r"film-01\.jpg"),
    "masks with a suffix": (
        lambda folder: mask_of(folder).rename(folder / "masks" / "film-01_mask.png"),
        r"film-01_mask\.png \(did you mean film-01",
    ),
    "a mask of another size": (save_mask(lambda mask: mask[::2, ::2]), r"film-01\.png has 256 × 256 .* 128 × 128"),
    "a mask of many greys": (
        save_mask(lambda mask: np.add.outer(np.arange(256), np.zeros(256)).astype(np.uint8)),
        r"film-01\.png holds 256 values",
    ),
    "an inverted mask": (save_mask(lambda mask: 255 * (1 - mask)), r"film-01\.png marks \d+ %"),
    "a damaged mask": (lambda folder: mask_of(folder).write_bytes(b"no picture"), r"film-01\.png is no picture"),
    "a folder among masks": (lambda folder: (folder / "masks" / "more").mkdir(), r"masks holds 1 thing.*more"),
    "a label against the mask": (
        lambda folder: write(folder, manifest(folder).assign(label="1")),
        r"line 2: film-00 has the label 1, but has no mask; so it is with 4",
    ),
    "another name of a split": (cell("split", "validation"), r"line 4: split is 'validation'.*did you mean val"),
    "an empty split": (cell("split", ""), r"line 4: split is ''"),
    "a misspelt label source": (cell("label_source", "expert_masks"), r"line 4: label_source.*mean expert_mask\?"),
    "an unknown view": (cell("view", "LL"), r"line 4: view is 'LL'"),
    "an unknown sex": (cell("sex", "X"), r"line 4: sex is 'X'"),
    "an age that is none": (cell("age", "old"), r"line 4: age is 'old'"),
    "a misspelt column": (rename_column("patient_id", "patientid"), r"'patientid'.*did you mean patient_id"),
    "a column too few": (rename_column("split", "_split"), r"lacks the column split"),
    "a row twice": (twice, r"film-02 2 times, in lines 4, 10"),
    "a row of other length": (text(b"film-02,", b"film-02,,"), r"line 4: 6 cells under 5 columns"),
    "a path as id": (cell("image_id", "/data/images/film-02.png"), r"line 4: image_id is '/data/images/film-02\.png'"),
    "an id with its ending": (cell("image_id", "film-02.png"), r"not in images/: film-02\.png \(did you mean film-02"),
    "a film that is missing": (
        lambda folder: (folder / "images" / "film-02.png").unlink(),
        r"manifest\.csv names 1 film\(s\) that are not in images/: film-02",
    ),
    "a film in two files": (
        lambda folder: shutil.copy(folder / "images" / "film-02.png", folder / "images" / "film-02.jpg"),
        r"two files: film-02",
    ),
    "a folder as film": (
        lambda folder: ((folder / "images" / "film-02.png").unlink(), (folder / "images" / "film-02.png").mkdir()),
        r"not in images/: film-02",
    ),
    "a damaged film": (
        lambda folder: (folder / "images" / "film-02.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture"),
        r"film-02\.png",
    ),
    "an empty film": (lambda folder: (folder / "images" / "film-02.png").write_bytes(b""), r"film-02\.png.*no bytes"),
    "a patient of two splits": (cell("patient_id", "patient-7"), r"1 patient\(s\) of train are in val or test"),
    "a patient called anon": (
        lambda folder: write(folder, manifest(folder).assign(patient_id="anon")),
        r"8 film\(s\) have the patient_id 'anon'",
    ),
    "a description without source": (
        lambda folder: (folder / "DATASET.md").write_text("Ours"),
        r"DATASET\.md must begin",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_in_one_sentence(folder, mistake, capsys):
    spoil, named = MISTAKES[mistake]
    spoil(folder)
    message = refusal(folder, capsys)
    assert re.search(named, message), message


def rgb(mask):
    return np.stack([255 * mask] * 3, axis=-1)


ODDITIES = {
    "colours": save_mask(rgb),
    "red on black": save_mask(lambda mask: rgb(mask) * np.array([1, 0, 0], dtype=np.uint8)),
    "an opaque fourth channel": save_mask(lambda mask: np.dstack([rgb(mask), np.full_like(mask, 255)])),
    "0 and 1": save_mask(lambda mask: mask),
    "0 and 255": save_mask(lambda mask: 255 * mask),
    "sixteen bits": save_mask(lambda mask: mask.astype(np.uint16) * 65535),
    "a byte-order mark": text(b"image_id", b"\xef\xbb\xbfimage_id"),
    "semicolons": lambda folder: write(folder, manifest(folder), sep=";"),
    "tabs": lambda folder: write(folder, manifest(folder), sep="\t"),
    "UTF-16": lambda folder: write(folder, manifest(folder), sep="\t", encoding="utf-16"),
    "other ends of line": lambda folder: write(folder, manifest(folder), lineterminator="\r\n"),
    "empty lines": text(b"\n", b"\n\n,,,,\n"),
    "columns of a spreadsheet": text(b"nih_findings", b"nih_findings,,"),
    "spaces and capitals": cell("split", " Train"),
    "a column of one's own": rename_column("nih_findings", "_remark"),
    "hidden files": lambda folder: [(folder / name / ".DS_Store").touch() for name in ("images", "masks")],
    "a film that nobody names": lambda folder: shutil.copy(
        folder / "images" / "film-02.png", folder / "images" / "more.png"
    ),
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_what_can_be_understood_is_read_right(folder, oddity, capsys):
    expected = [0, 1, 0, 1, 0, 1, 0, 1]
    if oddity == "columns of a spreadsheet":
        table = manifest(folder)
        (folder / "manifest.csv").write_text(
            "\n".join(",".join(row) + ",," for row in [table.columns, *table.to_numpy()]) + "\n"
        )
    else:
        ODDITIES[oddity](folder)
    true_mask = np.asarray(Image.open(folder / "masks" / "film-03.png")).astype(bool)
    films = prepare(folder)
    assert films.table["label"].tolist() == expected
    assert films.table["split"].tolist() == SPLITS
    area = films.true_mask(3).mean(), true_mask.mean()
    assert area[0] == pytest.approx(area[1], rel=0.2)
    assert films.true_mask(1).any() and not films.true_mask(1).all()
    assert "masks found: 4 of 8 films" in capsys.readouterr().out


def test_names_in_either_form_of_unicode_are_the_same(folder):
    composed, decomposed = "f\u00e4lm", "fa\u0308lm"
    (folder / "images" / "film-01.png").rename(folder / "images" / f"{decomposed}.png")
    mask_of(folder).rename(folder / "masks" / f"{decomposed}.png")
    table = manifest(folder)
    table.loc[1, "image_id"] = composed
    write(folder, table)
    films = prepare(folder)
    assert films.table["image_id"][1] == composed and films.true_mask(1).any()


def test_a_file_without_an_ending_is_called_by_all_of_its_name(folder):
    (folder / "images" / "film-02.png").rename(folder / "images" / "1.2.840.7")
    table = manifest(folder)
    table.loc[2, "image_id"] = "1.2.840.7"
    write(folder, table)
    assert prepare(folder).table["image_id"][2] == "1.2.840.7"


def test_a_sliver_is_not_lost(folder):
    mask = np.zeros((256, 256), dtype=np.uint8)
    mask[100, 100] = 1
    Image.fromarray(mask).save(mask_of(folder))
    films = prepare(folder)
    assert films.table["label"][1] == 1 and films.true_mask(1).sum() == 1


def test_what_was_prepared_before_stays_where_a_new_source_is_refused(folder, capsys):
    before = prepare(folder).table
    (folder / "images" / "film-02.png").write_bytes(b"")
    with pytest.raises(SystemExit, match="film-02"):
        prepare(folder)
    assert PreparedFilms.open(folder.parent / "prepared").table.equals(before)


def test_another_folder_is_not_overwritten(folder):
    (folder.parent / "prepared").mkdir()
    (folder.parent / "prepared" / "thesis.tex").touch()
    with pytest.raises(SystemExit, match="something else than prepared films"):
        prepare(folder)
    assert (folder.parent / "prepared" / "thesis.tex").exists()


def test_what_a_folder_says_of_itself_travels_with_its_films(folder, capsys):
    prepare(folder)
    assert "has no DATASET.md" in capsys.readouterr().out
    (folder / "DATASET.md").write_text("source: one small hospital\n\nOurs.\n")
    prepare(folder)
    assert (folder.parent / "prepared" / "DATASET.md").read_text() == "source: one small hospital\n\nOurs.\n"


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (["train", "--data", "nowhere", "--run", "run"], "nowhere holds no films.csv"),
        (["evaluate", "--weights", "nowhere.safetensors", "--data", "nowhere"], "nowhere holds no films.csv"),
        (["prepare", "--source", "nowhere", "--out", "out"], "nowhere is no folder"),
        (["prepare", "--source", ".", "--out", "out", "--size", "3"], "--size is 3, not 32 to 4096"),
        (["prepare", "--source", ".", "--out", "."], "--out is '.'; call what is to be written by its name"),
        (["compare_folds", "--recipes", "[]"], "--recipes names nothing"),
        (["curves", "--runs", "[nowhere]", "--out", "out"], "nowhere holds no log"),
        (["graph", "--weights", "nowhere.safetensors"], "No weights at nowhere.safetensors"),
        (["unpack", "--archive", "nowhere.zip", "--out", "out"], "nowhere.zip: No such file"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_every_command_says_in_a_sentence_what_is_not_there(command, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=named):
        main(command)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--batch_size", "0"], "--batch_size is 0, not 1 or more"),
        (["--learning_rate", "-1"], "--learning_rate is -1, not above 0"),
        (["--learning_rate", "1e400"], "--learning_rate is inf, not above 0"),
        (["--positive_share", "[0.5,3]"], "--positive_share is 3, not 0 to 1"),
        (["--image_size", "63"], "--image_size is 63, not a multiple of 32"),
        (["--window.size", "-32"], "--window.size is -32, not 0 to 4096"),
        (["--workers", "-1"], "--workers is -1, not 0 or more"),
        (["--model.map_stride", "3"], "map_stride must be 1"),
        (["--accelerator", "abacus"], "cannot be computed on: .*abacus"),
        (["--precision", "8"], "cannot be computed on: .*8"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_setting_that_nobody_can_mean_is_refused_before_a_run_begins(folder, tmp_path, more, named):
    prepare(folder)
    command = ["train", "--data", str(tmp_path / "prepared"), "--run", str(tmp_path / "run"), "--start", "random"]
    with pytest.raises(SystemExit, match=f"^error: .*{named}"):
        main([*command, *more])
    assert not (tmp_path / "run").exists()


def test_training_that_diverged_says_so(folder, tmp_path):
    prepare(folder)
    command = ["train", "--data", str(tmp_path / "prepared"), "--run", str(tmp_path / "run"), "--start", "random"]
    command += ["--image_size", "64", "--batch_size", "2", "--micro_batch", "2", "--workers", "0", "--epochs", "1"]
    with pytest.raises(SystemExit, match="error: .* diverged"):
        main([*command, "--steps_per_epoch", "2", "--learning_rate", "1e11", "--accelerator", "cpu"])


def test_a_file_whose_name_is_no_text_is_named_all_the_same(folder):
    (folder / "images" / os.fsdecode(b"b\xf6se.png")).touch()
    out = folder.parent / "prepared"
    command = [sys.executable, "-m", "training", "prepare", "--source", folder, "--out", out, "--size", "64"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and r"b\udcf6se.png" in done.stdout


def test_training_checks_its_films_before_it_begins(folder, tmp_path):
    table = manifest(folder)
    write(folder, table.assign(split="train"))
    prepare(folder)
    command = ["train", "--data", str(tmp_path / "prepared"), "--run", str(tmp_path / "run"), "--start", "random"]
    with pytest.raises(SystemExit, match="error: Val .* it has 0 and 0"):
        main(command)
    assert not (tmp_path / "run").exists()


def test_help_says_what_each_command_does(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "prepare Bring films, masks and a manifest into the form" in printed
    assert "evaluate Measure a released checkpoint on one split" in printed
