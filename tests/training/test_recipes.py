"""The recipes, every line of them, on ten synthetic films."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.predictor import Predictor
from tests.support.film_sets import write_film_set
from tests.support.warm_python import warm_python
from training.__main__ import main
from training.evidence.private_output import REPOSITORY

RECIPES = REPOSITORY / "training" / "recipes"
SPLITS = ["train"] * 6 + ["val"] * 4


@pytest.fixture(scope="module")
def ten_films(tmp_path_factory) -> Path:
    """Ten films of ten patients, every second one positive; one negative film's report names a pneumothorax."""
    findings = ["No Finding"] * 2 + ["Pneumothorax"] + ["No Finding"] * 7  # a film that fold 1 of 2 learns from
    return write_film_set(tmp_path_factory.mktemp("ten") / "films", SPLITS, findings=findings)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Iterator[Callable[..., str]]:
    """Run a recipe from the repository's root, and return what it printed."""
    with warm_python(tmp_path_factory.mktemp("python")) as python:

        def run(recipe: str, *arguments: object, **environment: object) -> str:
            own = {**os.environ, "PYTHON": str(python), **{name: str(value) for name, value in environment.items()}}
            command = ["sh", RECIPES / recipe, *map(str, arguments)]
            done = subprocess.run(command, cwd=REPOSITORY, env=own, capture_output=True, text=True, timeout=600)
            assert done.returncode == 0, done.stderr[-3000:]
            return done.stdout

        yield run


def test_from_ten_films_to_a_released_file_and_nothing_is_done_twice(run, ten_films, tmp_path):
    small = {
        **{"SIDE": 64, "WINDOW": 32, "STEPS": 1, "BATCH": 4, "WHOLE_STEPS": 1, "WHOLE_BATCH": 4, "START": "random"},
        **{"PLATEAU_EPOCHS": 1, "COOLDOWN_EPOCHS": 1, "WHOLE_EPOCHS": 2, "RELEASE": "--mirror_size 96"},
        "NAME": "ten",
        "SHARED": "--workers 0 --model.decoder_channels [16,16,8,8,8] --accelerator cpu",
    }
    work = tmp_path / "work"
    run("release.sh", ten_films, work, **small)
    released = Predictor.load(work / "released" / "pleura.safetensors")
    made = released.metadata.provenance
    assert len(made["mean_of"]) == 3 and released.metadata.metrics.keys() == {"val"}
    whole, cooldown, plateau = made, made["started_from"], made["started_from"]["started_from"]
    assert [stage["windows_seen"] for stage in (plateau, cooldown, whole)] == [4, 4, 0]
    assert [stage["windows_in_all"] for stage in (plateau, cooldown, whole)] == [4, 8, 8]
    assert plateau["started_from"] == "random" and whole["films_seen"] == 8
    assert whole["settings"]["mining"] == 2 and plateau["settings"]["cooldown_share"] == 0

    written = {path: path.stat().st_mtime_ns for path in work.rglob("*") if path.is_file()}
    run("release.sh", ten_films, work, **small)
    assert {path: path.stat().st_mtime_ns for path in work.rglob("*") if path.is_file()} == written


def test_what_a_gpu_is_given_and_gives_back(run, ten_films, tmp_path):
    prepared, carry, out = tmp_path / "prepared", tmp_path / "carry", tmp_path / "out"
    main(["prepare", "--source", str(ten_films), "--out", str(prepared), "--size", "64"])
    small = {
        **{"SIDE": 64, "WINDOW": 32, "STEPS": 1, "BATCH": 4, "EPOCHS": 2, "MINUTES": 0, "WORKERS": 0},
        **{"START": "random", "ACCELERATOR": "cpu", "PRECISION": "32-true", "PACKAGES": ""},
    }
    assert "MiB to carry" in run("gpu.sh", "pack", prepared, carry, **small)
    assert sum(path.stat().st_size for path in carry.rglob("*") if path.is_file()) < 16 * 2**20
    prepared.rename(tmp_path / "left behind")

    assert "Stopped after epoch 1 of 2" in run("gpu.sh", "step", carry, out, "fold-1", "--fold", "1/2", **small)
    assert "Going on after epoch 1 of 2" in run("gpu.sh", "step", carry, out, "fold-1", "--fold", "1/2", **small)
    kinds = ("answers.csv", "best.safetensors", "metrics.csv", "newest.safetensors")
    assert sorted(path.name for path in out.iterdir()) == [f"fold-1-{kind}" for kind in kinds]
    assert load_checkpoint(out / "fold-1-newest.safetensors").metadata.provenance["epoch"] == 2
    assert all(path.stat().st_size < 16 * 2**20 for path in out.iterdir())
