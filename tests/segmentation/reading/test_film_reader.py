"""Reading in a process of its own: whatever a decoder does costs one film its answer, and nothing else."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from app.config import ROOT
from app.segmentation.errors import EmptyFileError, ImageTooSmallError
from app.segmentation.reading import film_reader as film_reader_module
from app.segmentation.reading.film_reader import (
    FilmReader,
    ReaderUnavailableError,
    ReadingFailedError,
    ReadingTimedOutError,
    ReadingTooLargeError,
)
from app.segmentation.reading.image_io import read_radiograph
from tests.support.film_files import to_png
from tests.support.processes import children
from training.releasing.phantom.drawing import draw_phantom

MISBEHAVING = "tests.support.misbehaving_decoders:read"


@pytest.fixture(scope="module")
def reader():
    reader = FilmReader(seconds=1, mebibytes=512, read=MISBEHAVING)
    yield reader
    reader.close()


def test_films_are_read_as_they_are_in_process():
    film = to_png(draw_phantom(1, 320).image)
    reader, expected = FilmReader(seconds=10, mebibytes=1024), read_radiograph(film)
    radiograph = reader.read(film)
    reader.close()
    np.testing.assert_array_equal(radiograph.image, expected.image)
    assert vars(radiograph).keys() == vars(expected).keys()
    assert radiograph.image_left is expected.image_left


def test_refusals_come_back_with_their_picture(reader):
    with pytest.raises(ImageTooSmallError, match="at 1 × 1") as refusal:
        reader.read(b"refuse")
    assert refusal.value.picture.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    with pytest.raises(EmptyFileError):
        reader.read(b"empty")


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        (b"sleep", ReadingTimedOutError),
        (b"spin", ReadingTimedOutError),
        (b"eat", ReadingTooLargeError),
        (b"nibble", ReadingTooLargeError),
        (b"exit", ReadingFailedError),
        (b"crash", ReadingFailedError),
        (b"kill", ReadingFailedError),
        (b"err", ReadingFailedError),
        (b"subvert", ReadingFailedError),
        (b"fill", ReadingFailedError),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else "",
)
def test_what_a_decoder_does_costs_its_film_alone(reader, deed, error):
    with pytest.raises(error) as refusal:
        reader.read(deed)
    assert str(refusal.value).endswith(".")
    assert reader.read(b"length 12345").tolist() == [12]
    assert not (ROOT / "subverted").exists()


def test_a_stopped_process_is_killed(reader, monkeypatch):
    monkeypatch.setattr(film_reader_module, "GRACE_SECONDS", 0)
    with pytest.raises(ReadingTimedOutError):
        reader.read(b"stop")
    assert reader.read(b"array").shape == (4000, 4000)


def test_a_killed_idle_child_costs_nothing(reader):
    used = int(reader.read(b"process")[0])
    while (alive := children(reader._process._popen.pid)) in ([], [used]):
        time.sleep(0.01)
    os.kill(alive[-1], signal.SIGKILL)
    while alive[-1] in children(reader._process._popen.pid):  # dying, it might still take the film
        time.sleep(0.01)
    assert reader.read(b"length 12345").tolist() == [12]


def test_nobody_changes_an_outcome_that_was_handed_on():
    with film_reader_module._anonymous_file() as outcome:
        outcome.write(b"as it was")
        outcome.flush()
        contents = film_reader_module._contents(outcome)
        with pytest.raises(PermissionError):
            os.pwrite(outcome.fileno(), b"otherwise", 0)
        with pytest.raises(PermissionError):
            os.ftruncate(outcome.fileno(), 0)
    contents[:2] = b"so"
    assert contents.tobytes() == b"so it was"


def test_every_film_has_a_process_of_its_own(reader):
    assert len({int(reader.read(b"process")[0]) for _ in range(3)} | {os.getpid()}) == 4


def test_large_films_go_both_ways(reader):
    film = b"length " + bytes(64 * 2**20)
    assert reader.read(film).tolist() == [len(film)]
    assert reader.read(b"array").flags.writeable


def test_no_process_is_a_failure_of_ours():
    reader = FilmReader(seconds=1, mebibytes=512, read="tests.support.misbehaving_decoders:nowhere")
    with pytest.raises(ReaderUnavailableError):
        reader.read(b"length")
    reader.close()


def test_messages_that_quote_a_header_stay_out_of_the_log(capfd):
    reader = FilmReader(seconds=1, mebibytes=512, read=MISBEHAVING)
    with pytest.raises(ReadingFailedError):
        reader.read(b"err")
    reader.close()
    log = capfd.readouterr().err
    assert "KeyError at" in log
    assert "Doe" not in log


def test_no_file_stays_open(reader):
    reader.read(b"length")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for deed in (b"length", b"exit", b"refuse", b"kill", b"length"):
        try:
            reader.read(deed)
        except Exception:
            assert deed != b"length"
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_reading_process_imports_no_network():
    code = (
        "import sys, app.segmentation.reading.reading_process, app.segmentation.reading.image_io\n"
        "print(sorted({'torch', 'flask', 'sqlalchemy', 'openvino'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_process_ends_with_its_worker(tmp_path):
    code = (
        "import sys; from app.segmentation.reading.film_reader import FilmReader\n"
        f"reader = FilmReader(1, 512, {MISBEHAVING!r}); print(reader.read(b'process')[0], flush=True)\n"
        "print(reader._process._popen.pid, flush=True); sys.stdin.read()"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    worker.stdout.readline()
    keeper = int(worker.stdout.readline())
    watch = os.pidfd_open(keeper)
    worker.kill()
    worker.wait()
    assert select.select([watch], [], [], 10)[0], "the reading process outlived its worker"
    os.close(watch)
