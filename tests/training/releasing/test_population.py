"""What a checkpoint says of the films it learnt from."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.decision.checks import doubts_about
from app.segmentation.network.out_of_distribution import FeatureDistribution
from app.segmentation.network.torch_engine import TorchEngine
from app.segmentation.reading.radiograph import Radiograph
from training.data.films import PreparedFilms
from training.data.lineage import UNKNOWN
from training.releasing import population
from training.releasing.population import describe_population


@pytest.fixture
def train(films) -> np.ndarray:
    return films.rows("train")


def with_ages(films: PreparedFilms, ages: list[str]) -> PreparedFilms:
    table = films.table.copy()
    table["age"] = ages + [""] * (len(table) - len(ages))
    return replace(films, table=table)


def test_counts_and_sizes(films, train):
    learnt_from = describe_population(films, train, "two hospitals", turn_degrees=6.0, no_film_distance=1.3)
    assert (learnt_from.source, learnt_from.turn_degrees, learnt_from.no_film_distance) == ("two hospitals", 6.0, 1.3)
    assert (learnt_from.films, learnt_from.patients, learnt_from.side) == (12, 6, 256)
    assert (learnt_from.ages_known, learnt_from.children, learnt_from.ages) == (0, 0, None)


@pytest.mark.parametrize("turn_degrees", [None, 40.0])
def test_a_slant_is_usual_to_which_training_turned_films(films, train, turn_degrees):
    learnt_from = describe_population(films, train, "", turn_degrees)
    assert learnt_from.tilt_degrees == (turn_degrees or pytest.approx(10, abs=8))


def test_ages_are_those_that_can_be(films, train):
    aged = with_ages(films, ["17", "64", "151", "", "3", "70"])
    learnt_from = describe_population(aged, train, "one hospital")
    assert (learnt_from.ages_known, learnt_from.children, learnt_from.ages) == (4, 2, (3, 70))
    assert learnt_from.has_learnt_from_children


def test_patients_without_a_number_are_not_counted(films, train):
    table = films.table.copy()
    table["patient_id"] = [UNKNOWN + name for name in table["image_id"]]
    assert describe_population(replace(films, table=table), train, "").patients is None


def test_few_films_leave_room_for_those_like_them(films, train):
    """Twelve films tell little of the outermost thousandth."""
    learnt_from = describe_population(films, train, "")
    for row in (*films.rows("val"), *films.rows("test")):
        assert doubts_about(Radiograph(films.image(row), "PNG"), learnt_from) == ()
    brighter = Radiograph(films.image(train[0]) ** 0.2, "PNG")
    assert [doubt.code for doubt in doubts_about(brighter, learnt_from)] == ["unusual_exposure"]


@pytest.mark.parametrize(("nearest", "expected"), [(0.5, 1.0), (1.5, 1.25), (4.0, 2.5)])
def test_no_film_begins_halfway_to_the_nearest_other_picture(checkpoint_path, monkeypatch, nearest, expected):
    pictures = [np.ones((64, 64), np.float32)] * 3
    seen = (SimpleNamespace(features=np.array([5 * limits])) for limits in (9.0, nearest, 6.0))
    monkeypatch.setattr(population, "pictures_of_other_things", lambda: pictures)
    monkeypatch.setattr(TorchEngine, "run", lambda engine, batch: next(seen))
    known = FeatureDistribution(mean=np.zeros(1), whitening=np.eye(1), limit=5.0)
    assert population.measure_no_film_distance(load_checkpoint(checkpoint_path), known, None) == expected
