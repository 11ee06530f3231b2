"""Films that travel: small, whole, and unpacked without what reads hospital files."""

import subprocess
import sys

import numpy as np
import pytest

from training.__main__ import main
from training.data.archive import pack, unpack
from training.data.films import PreparedFilms
from training.errors import TrainingDataError


def test_what_is_packed_comes_back_nearly_as_it_was_without_the_test_split(prepared_folder, films, tmp_path):
    archive, out = tmp_path / "carried" / "films.zip", tmp_path / "films"
    main(["pack", "--data", str(prepared_folder), "--out", str(archive), "--size", "256", "--limit_mib", "1"])
    assert archive.stat().st_size < 2**20
    unpack(archive, out)
    unpacked = PreparedFilms.open(out)
    rows = np.flatnonzero(films.table["split"] != "test")
    assert unpacked.table["image_id"].tolist() == films.table["image_id"].iloc[rows].tolist()
    np.testing.assert_array_equal(unpacked.masks, films.masks[rows])
    differences = unpacked.images.astype(int) - films.images[rows].astype(int)
    assert 0 < np.abs(differences).mean() < 6


def test_films_are_packed_smaller_if_asked_and_unpacked_once(prepared_folder, tmp_path):
    pack(prepared_folder, tmp_path / "films.zip", size=64, limit_mib=1)
    unpack(tmp_path / "films.zip", tmp_path / "films")
    (tmp_path / "films.zip").unlink()
    unpack(tmp_path / "films.zip", tmp_path / "films")
    assert PreparedFilms.open(tmp_path / "films").images.shape == (20, 64, 64)


def test_films_that_do_not_fit_are_refused(prepared_folder, tmp_path):
    with pytest.raises(TrainingDataError, match="20 films of 256 pixels do not fit into 0.01 MiB"):
        pack(prepared_folder, tmp_path / "films.zip", size=256, limit_mib=0.01)
    assert not (tmp_path / "films.zip").exists()


def test_an_archive_that_is_none_or_was_cut_is_refused(prepared_folder, tmp_path):
    whole = tmp_path / "films.zip"
    pack(prepared_folder, whole, size=64, limit_mib=1)
    data = whole.read_bytes()
    (tmp_path / "bits.zip").write_bytes(data[:3000] + bytes([data[3000] ^ 255]) + data[3001:])
    (tmp_path / "cut.zip").write_bytes(data[:-2000])
    (tmp_path / "text.zip").write_bytes(b"no archive")
    for name in ("bits", "cut", "text"):
        with pytest.raises(TrainingDataError, match=rf"{name}\.zip is no archive of `pack`, or damaged"):
            unpack(tmp_path / f"{name}.zip", tmp_path / name)
        assert not (tmp_path / name / "films.csv").exists()
    with pytest.raises(TrainingDataError, match="has no film of nothing"):
        pack(prepared_folder, tmp_path / "none.zip", splits=("nothing",))


def test_training_needs_nothing_that_reads_hospital_files():
    code = (
        "import sys\n"
        "for name in ('pydicom', 'imagecodecs', 'highdicom', 'openvino', 'flask', 'sqlalchemy', 'fpdf', 'jinja2'):\n"
        "    sys.modules[name] = None\n"
        "from training.__main__ import build_parser, function_of\n"
        "[function_of(name) for name in ('unpack', 'train', 'average')]\n"
        "build_parser(['train'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-800:]
