"""A folder of films: every one gets its row, once, whatever happens on the way."""

import csv
import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from app.batch import command as batch
from app.batch import work
from app.batch.results import Results
from app.batch.rows import COLUMNS
from app.batch.work import Outcome
from app.config import ROOT
from tests.support.dicom_exports import referenced
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom


@pytest.fixture
def folder(tmp_path) -> Path:
    """Five entries with four contents: a film twice, a DICOM film, a text, and a link that leads nowhere."""
    films = tmp_path / "films"
    (films / "ward").mkdir(parents=True)
    film = to_png(draw_phantom(1, 320).image)
    (films / "a.png").write_bytes(film)
    (films / "ward" / "=again.png").write_bytes(film)
    (films / "ward" / "b.dcm").write_bytes(to_dicom(draw_phantom(2, 320).image, PatientName="Doe^Jane"))
    (films / "notes.txt").write_text("no film")
    (films / "lost.png").symlink_to(films / "nowhere.png")
    (films / ".hidden.png").write_bytes(film)
    return films


@pytest.fixture
def run(folder, tmp_path, checkpoint_path, monkeypatch):
    """Run the command, and return its exit status and the table."""
    monkeypatch.setenv("PLEURA_WEIGHTS", str(checkpoint_path))

    def once(*options: str, out: str = "results.csv") -> tuple[int, list[dict[str, str]]]:
        table = tmp_path / out
        status = batch.main([str(folder), "--out", str(table), *options])
        with table.open(newline="") as file:
            return status, list(csv.DictReader(file))

    return once


def by_path(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    assert len({row["path"] for row in rows}) == len(rows), "no double"
    return {row["path"]: row for row in rows}


def test_every_film_has_a_row_with_its_answer_or_the_reason(run):
    status, rows = run()
    found = by_path(rows)
    assert status == 0
    assert list(rows[0]) == list(COLUMNS)
    assert set(found) == {"a.png", "ward/=again.png", "ward/b.dcm", "notes.txt", "lost.png"}
    assert found["notes.txt"]["code"] == "unsupported_format"
    assert found["lost.png"]["code"] == "unreadable"
    answered = found["a.png"]
    assert answered["finding"] in ("positive", "negative", "indeterminate") and not answered["code"]
    assert answered == found["ward/=again.png"] | {"path": "a.png"}, "one film, one answer"


def test_it_goes_on_where_it_stopped(run, tmp_path, folder, monkeypatch):
    _, whole = run()
    table = tmp_path / "broken.csv"
    text = (tmp_path / "results.csv").read_bytes()
    table.write_bytes(text[: text.rfind(b"\n", 0, -1) + 20])  # the last row was cut
    answered = []
    analyse = batch.Analysis.analyse
    monkeypatch.setattr(batch.Analysis, "analyse", lambda *given: answered.append(1) or analyse(*given))
    _, rows = run(out="broken.csv")
    assert by_path(rows) == by_path(whole)
    assert len(answered) <= 1


def test_a_film_that_could_not_be_read_is_tried_again(run, folder):
    run()
    (folder / "nowhere.png").write_bytes(to_png(draw_phantom(3, 320).image))
    found = by_path(run()[1])
    assert found["lost.png"]["code"] == ""
    assert found["lost.png"]["sha256"] == found["nowhere.png"]["sha256"]


@pytest.mark.parametrize(("modified_at", "years"), [(4e11, ("9998", "9999")), (-1e11, ("1899", "1900"))])
def test_a_moment_that_no_calendar_has_costs_no_film(run, folder, tmp_path, monkeypatch, modified_at, years):
    (folder / "ward" / "b.dcm").unlink()
    monkeypatch.setattr(
        work, "Outcome", lambda *given, **more: replace(Outcome(*given, **more), modified_at=modified_at)
    )
    status, rows = run("--dicom", str(tmp_path / "dicom"))
    assert status == 0 and by_path(rows)["a.png"]["finding"]
    made = pydicom.dcmread(tmp_path / "dicom" / f"{by_path(rows)['a.png']['sha256']}-report.dcm")
    assert made.ContentDate[:4] in years


def test_masks_and_dicom_objects_are_named_by_content(run, tmp_path, folder):
    _, rows = run("--masks", str(tmp_path / "masks"), "--dicom", str(tmp_path / "dicom"))
    row = by_path(rows)["ward/b.dcm"]
    report = pydicom.dcmread(tmp_path / "dicom" / f"{row['sha256']}-report.dcm")
    assert report.PatientName == "Doe^Jane"
    assert not (tmp_path / "dicom" / f"{row['sha256']}-film.dcm").exists(), "the archive has it"
    if not row["withheld_for"]:
        mask = cv2.imread(str(tmp_path / "masks" / f"{row['sha256']}.png"), cv2.IMREAD_GRAYSCALE)
        assert mask.shape == (320, 320)
        assert np.isclose((mask > 0).mean(), float(row["marked_fraction"]), atol=1e-6)
    assert not [path for folder in ("masks", "dicom") for path in (tmp_path / folder).glob(".*")]


def test_a_film_that_no_archive_has_is_written_beside_what_refers_to_it(run, tmp_path):
    _, rows = run("--dicom", str(tmp_path / "dicom"))
    made = str(tmp_path / "dicom" / f"{by_path(rows)['a.png']['sha256']}-{{}}.dcm")
    film, report = pydicom.dcmread(made.format("film")), pydicom.dcmread(made.format("report"))
    assert (film.Rows, film.Columns) == (320, 320)
    assert film.SOPInstanceUID in referenced(report)


def test_a_table_of_other_weights_or_of_another_kind_is_left_alone(run, tmp_path, capsys):
    run()
    table = tmp_path / "results.csv"
    other = table.read_text().replace(by_path(run()[1])["a.png"]["model_sha256"], "0" * 64)
    table.write_text(other)
    assert run()[0] == 1
    assert "other weights" in capsys.readouterr().err
    assert table.read_text() == other
    other_kinds = [b"name,age\nAnn,7\n", b"PK\x03\x04\xff\xfe\n", b'"' + b"x" * 200_000 + b"\n", b"PK\xff", b"\0" * 9]
    told_of_each = ["another kind", "no table of text", "no table of text", "another kind", "another kind"]
    for content, told in zip(other_kinds, told_of_each, strict=True):
        table.write_bytes(content)
        assert batch.main([str(tmp_path / "films"), "--out", str(table)]) == 1
        assert told in capsys.readouterr().err
        assert table.read_bytes() == content


def test_a_full_disk_stops_it_after_a_whole_row(run, tmp_path, monkeypatch, capsys):
    write, rows = os.write, []

    def fill(file: int, data: bytes) -> int:
        rows.append(data)
        return write(file, data if len(rows) < 4 else data[: len(data) // 2])

    monkeypatch.setattr("app.batch.results.os.write", fill)
    assert run()[0] == 1
    assert "No space left" in capsys.readouterr().err
    kept = (tmp_path / "results.csv").read_bytes()
    assert kept.endswith(b"\n")
    monkeypatch.undo()


def test_an_interruption_is_told_and_leaves_whole_rows(run, tmp_path, monkeypatch, capsys):
    append = batch.Results.append

    def interrupt(*given) -> None:
        append(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch.Results, "append", interrupt)
    status, rows = run()
    assert status == 130
    assert len(rows) == 1
    assert "1 of 5 films have a row" in capsys.readouterr().err


def test_names_and_kinds_that_no_archive_should_have_cost_nobody_a_row(run, folder, tmp_path):
    film = to_png(draw_phantom(4, 320).image)
    names = [
        "two\nlines.png",
        'quoted, "so".png',
        "r\rreturn.png",
        os.fsdecode(b"b\xf6se.png"),
        " blank .png",
        "|p.png",
    ]
    for number, name in enumerate(names):
        (folder / name).write_bytes(film + bytes([number]))  # a film of its own each
    (folder / "empty.png").touch()
    os.mkfifo(folder / "pipe.png")
    (folder / "loop").symlink_to(folder)
    (folder / "round.png").symlink_to(folder / "round.png")
    status, rows = run()
    found = by_path(rows)
    assert status == 0 and len(rows) == 5 + len(names) + 3
    assert found["two\nlines.png"]["sha256"] and found[r"b\udcf6se.png"]["finding"]
    assert found["empty.png"]["code"] == "empty_file"
    assert found["pipe.png"]["detail"] == "Not a regular file."
    assert found["round.png"]["code"] == "unreadable"
    text = (tmp_path / "results.csv").read_bytes()
    assert by_path(run()[1]) == found, "what was unreadable is tried again, and comes last"
    for end in range(text.index(b"lines.png") - 4, text.index(b"lines.png") + 40, 6):  # cut within the broken name
        (tmp_path / "cut.csv").write_bytes(text[:end])
        assert by_path(run(out="cut.csv")[1]) == found


@pytest.mark.parametrize("before", ["＝", "＠", "\t=", " =", "\u00a0=", "\ufeff=", "\u200b－"])
def test_a_path_is_no_formula_and_is_known_again(tmp_path, before):
    path, film = f"{before}cmd.png", hashlib.sha256().hexdigest()
    row = [path, film, *[""] * 11, "model", "notice"]
    with Results(tmp_path / "results.csv", "model") as results:
        results.append(row)
        assert results.has(path, film) and results.repeat(f"2{path}", film)
    with Results(tmp_path / "results.csv", "model") as results:
        assert results.has(path, film) and len(results) == 2
    with (tmp_path / "results.csv").open(newline="") as file:
        assert [found["path"] for found in csv.DictReader(file)] == [f"'{path}", f"2{path}"]


def test_a_second_run_leaves_the_table_to_the_first(run, tmp_path, capsys):
    _, rows = run()
    model = rows[0]["model_sha256"]
    with batch.Results(tmp_path / "results.csv", model) as first:
        assert run()[0] == 1
        assert "another run" in capsys.readouterr().err
        first.append(["late.png", "", "unsupported_format", *[""] * 10, model, "notice"])
    assert [row["path"] for row in run()[1]][:5] == ["a.png", "notes.txt", "ward/=again.png", "ward/b.dcm", "late.png"]


def test_a_disk_that_is_full_at_once_leaves_the_table_as_it_was(run, tmp_path, monkeypatch, capsys):
    run()
    before = (tmp_path / "results.csv").read_bytes()

    def fail(*_given) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("app.batch.results.os.fsync", fail)
        for name in ("results.csv", "first.csv"):
            assert batch.main([str(tmp_path / "films"), "--out", str(tmp_path / name)]) == 1
            assert "No space left" in capsys.readouterr().err
    assert (tmp_path / "results.csv").read_bytes() == before
    assert not (tmp_path / "first.csv").exists() and not list(tmp_path.glob("*.new"))


def test_a_full_disk_among_the_pictures_costs_no_row(run, tmp_path, monkeypatch, capsys):
    _, whole = run(out="whole.csv")
    replace, written = os.replace, []

    def fill(draft: Path, path: Path) -> None:
        written.append(path)
        if Path(path).suffix == ".dcm":
            raise OSError(28, "No space left on device", str(path))
        replace(draft, path)

    with monkeypatch.context() as patch:
        patch.setattr("app.studies.whole_file.os.replace", fill)
        assert run("--dicom", str(tmp_path / "dicom"))[0] == 1
    assert capsys.readouterr().err.strip().endswith("No space left on device.")
    assert not list((tmp_path / "dicom").iterdir()), "nothing half-written"
    _, rows = run("--dicom", str(tmp_path / "dicom"))
    assert by_path(rows) == by_path(whole)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_whoever_is_impatient_sees_no_traceback(folder, tmp_path, checkpoint_path, ending):
    film = to_png(draw_phantom(4, 320).image)
    for number in range(60):
        (folder / f"{number}.png").write_bytes(film + bytes([number]))
    table = tmp_path / "results.csv"
    command = [sys.executable, "-m", "app.batch", str(folder), "--out", str(table)]
    own = {**os.environ, "PLEURA_WEIGHTS": str(checkpoint_path), "PLEURA_THREADS": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=own, stderr=subprocess.PIPE, text=True)
    while not table.exists() or table.read_bytes().count(b"\n") < 4:
        assert process.poll() is None
        time.sleep(0.02)
    for _ in range(3):
        process.send_signal(ending)
        time.sleep(0.02)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "Traceback" not in told and "of 65 films have a row" in told
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert 3 <= len(rows) < 65 and len(by_path(rows)) == len(rows)


@pytest.mark.parametrize(
    ("threads", "cores", "expected"),
    [(0, 1, (1, 1)), (0, 2, (2, 1)), (0, 16, (4, 4)), (1, 2, (2, 1)), (2, 2, (1, 2)), (8, 2, (1, 8)), (3, 16, (4, 3))],
)
def test_cores_are_shared_among_films(threads, cores, expected):
    assert batch.at_once(threads, cores) == expected


def test_films_that_are_answered_at_once_have_their_own_answers(run, monkeypatch):
    monkeypatch.setattr(batch, "at_once", lambda threads, cores: (1, 1))
    one = run(out="one.csv")[1]
    monkeypatch.setattr(batch, "at_once", lambda threads, cores: (3, 1))
    assert run(out="three.csv")[1] == one, "in the same order, too"


def test_a_mistake_is_one_sentence(tmp_path, capsys):
    assert batch.main([str(tmp_path / "none"), "--out", str(tmp_path / "t.csv")]) == 1
    assert capsys.readouterr().err.strip() == f"{tmp_path / 'none'} is no folder."


def test_a_table_that_was_cut_within_a_letter_or_filled_with_zeros_is_gone_on_with(run, folder, tmp_path):
    (folder / "a.png").rename(folder / "z Büro.png")
    whole = run()[1]
    text = (tmp_path / "results.csv").read_bytes()
    end = text.index("Büro".encode()) + 2
    for rest in (b"", b"\0" * 200_000):
        (tmp_path / "cut.csv").write_bytes(text[:end] + rest)
        assert by_path(run(out="cut.csv")[1]) == by_path(whole)


def test_what_is_written_among_the_films_is_taken_for_none(run, folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    among = tmp_path / "link"
    outside = by_path(run()[1])
    options = ["--masks", str(among / "masks"), "--dicom", str(among / "dicom")]
    for _ in range(2):
        assert by_path(run(*options, out="link/results.csv")[1]) == outside
    assert list((folder / "masks").iterdir()) and list((folder / "dicom").iterdir())


@pytest.mark.parametrize("option", ["--masks", "--dicom"])
def test_the_films_own_folder_is_no_place_for_what_is_written(folder, tmp_path, option, capsys):
    (tmp_path / "link").symlink_to(folder)
    before = sorted(folder.rglob("*"))
    assert batch.main([str(folder), "--out", str(tmp_path / "t.csv"), option, str(tmp_path / "link")]) == 1
    assert "is where the films are" in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before and not (tmp_path / "t.csv").exists()


def test_what_is_no_file_is_left_as_it_is(run, folder, tmp_path, monkeypatch, capsys):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    for out in ("pipe", ".", "/"):
        assert batch.main([str(folder), "--out", out]) == 1
        assert "is no file" in capsys.readouterr().err
    assert (tmp_path / "pipe").is_fifo()


def test_a_table_behind_a_link_is_written_where_the_link_leads(run, tmp_path):
    (tmp_path / "results.csv").symlink_to(tmp_path / "elsewhere.csv")
    _, rows = run()
    assert (tmp_path / "results.csv").is_symlink()
    assert len(rows) == 5 and by_path(run(out="elsewhere.csv")[1]) == by_path(rows)


def test_a_film_that_is_gone_once_it_was_answered_stops_nothing(run, folder, tmp_path, monkeypatch):
    analyse = batch.Analysis.analyse

    def remove(*given):
        (folder / "a.png").unlink(missing_ok=True)
        return analyse(*given)

    monkeypatch.setattr(batch, "at_once", lambda threads, cores: (1, 1))
    monkeypatch.setattr(batch.Analysis, "analyse", remove)
    status, rows = run("--dicom", str(tmp_path / "dicom"))
    assert status == 0 and by_path(rows)["a.png"]["finding"] and len(rows) == 5
