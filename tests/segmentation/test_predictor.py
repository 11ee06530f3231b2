"""Film to answer: the same for every format, thread and mirror image."""

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from app.segmentation.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from app.segmentation.decision.calibration import Finding, OperatingPoint
from app.segmentation.decision.doubts import NO_REASSURANCE
from app.segmentation.decision.population import FIRST_RELEASES
from app.segmentation.decision.postprocessing import PostprocessingConfig
from app.segmentation.errors import CheckpointError, InvalidImageError
from app.segmentation.network.out_of_distribution import FeatureDistribution
from app.segmentation.network.preprocessing import preprocess
from app.segmentation.predictor import Prediction, Predictor
from app.segmentation.reading.geometry import Laterality
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.radiograph import Radiograph
from tests.support.doubted import DOUBTED, FILM
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

FILMS = [draw_phantom(seed, size=256).image for seed in range(3)]
MARK_EVERYTHING = PostprocessingConfig(mask_threshold=0, min_area_fraction=0, min_film_probability=0)
ALWAYS = {
    Finding.POSITIVE: OperatingPoint("always positive", 0, 0, 0),
    Finding.NEGATIVE: OperatingPoint("always negative", 1, 1, 1),
    Finding.INDETERMINATE: OperatingPoint("never sure", 0.5, 0, 1),
}


@pytest.fixture(scope="module")
def checkpoint(checkpoint_path) -> Checkpoint:
    return load_checkpoint(checkpoint_path)


@pytest.fixture(scope="module")
def predictor(checkpoint) -> Predictor:
    return Predictor(checkpoint)


def deciding(checkpoint: Checkpoint, **decision: object) -> Predictor:
    metadata = checkpoint.metadata
    return Predictor(replace(checkpoint, metadata=replace(metadata, decision=replace(metadata.decision, **decision))))


def same(one: Prediction, other: Prediction, tolerance: float = 1e-5) -> bool:
    return (
        abs(one.probability - other.probability) <= tolerance
        and np.abs(one.probability_map - other.probability_map).max() <= tolerance
    )


class TestAnswer:
    def test_form(self, predictor):
        film = Radiograph(FILMS[0][:, :250].copy(), "PNG")
        prediction = predictor.predict(film)
        assert 0 <= prediction.probability <= 1
        assert (prediction.probability_map.shape, prediction.probability_map.dtype) == ((256, 250), np.float32)
        assert 0 <= prediction.probability_map.min() <= prediction.probability_map.max() <= 1
        assert (prediction.mask.shape, prediction.mask.dtype) == ((256, 250), bool)
        assert [doubt.code for doubt in prediction.doubts] == ["low_resolution"]
        timing = prediction.timing_ms
        assert timing["total"] == pytest.approx(
            timing["preprocessing"] + timing["inference"] + timing["postprocessing"]
        )

    def test_is_that_of_the_bare_network(self, checkpoint):
        batch = preprocess(FILMS[0], checkpoint.metadata.preprocessing)
        with torch.inference_mode():
            mask_logits, image_logit = checkpoint.model(torch.from_numpy(batch))
        evidence = deciding(checkpoint, mirror_size=None).engine.run(batch)
        assert np.abs(evidence.probability_map - mask_logits[0, 0].sigmoid().numpy()).max() < 1e-5
        assert evidence.image_logit == pytest.approx(float(image_logit), abs=1e-4)

    def test_png_and_dicom_of_a_film_are_answered_alike(self, predictor):
        answers = [
            predictor.predict(read_radiograph(data))
            for data in (to_png(FILMS[0], bits=12), to_dicom(FILMS[0]), to_dicom(FILMS[0], photometric="MONOCHROME1"))
        ]
        assert same(answers[0], answers[1])
        assert same(answers[0], answers[2])

    def test_negative_of_a_film_is_answered_like_the_film(self, predictor):
        image = np.round(255 * FILMS[0]) / 255
        film, negative = (predictor.predict(read_radiograph(to_png(shown))) for shown in (image, 1 - image))
        assert same(film, negative)
        assert [doubt.code for doubt in film.doubts] == ["low_resolution"]
        assert [doubt.code for doubt in negative.doubts] == ["low_resolution", "inverted_corrected"]

    def test_regions_know_the_patients_sides(self, checkpoint):
        predictor = deciding(checkpoint, postprocessing=MARK_EVERYTHING)
        for orientation, side in ((["L", "F"], Laterality.RIGHT), (["R", "F"], Laterality.LEFT)):
            film = read_radiograph(to_dicom(FILMS[0], PatientOrientation=orientation, ImagerPixelSpacing=[1, 1.5]))
            (region,) = predictor.predict(film).regions
            assert region.bbox == (0, 0, 384, 256)  # its pixels made square
            assert region.area_mm2 == pytest.approx(256 * 256 * 1.5)
            assert region.laterality is side  # its centre, 191.5, lies in the picture's left half

    def test_finding_is_that_of_the_operating_point(self, checkpoint):
        for finding, point in ALWAYS.items():
            predictor = deciding(checkpoint, operating_point=point)
            assert predictor.predict(Radiograph(FILMS[0], "PNG")).finding is finding

    def test_impossible_film(self, predictor):
        with pytest.raises(InvalidImageError):
            predictor.predict(Radiograph(np.full((256, 256), np.nan, np.float32), "PNG"))


class TestMirror:
    def test_averaging_makes_the_answer_symmetric(self, predictor):
        assert predictor.decision.mirror_size == predictor.metadata.preprocessing.image_size
        film, mirrored = Radiograph(FILMS[0], "PNG"), Radiograph(FILMS[0][:, ::-1].copy(), "PNG")
        one, other = predictor.predict(film), predictor.predict(mirrored)
        assert one.probability == pytest.approx(other.probability, abs=1e-5)
        assert np.abs(one.probability_map - other.probability_map[:, ::-1]).max() < 1e-4

    def test_disagreement_is_half_the_difference_of_the_two_maps(self, checkpoint):
        preprocessing = checkpoint.metadata.preprocessing
        film, mirrored = (preprocess(image.copy(), preprocessing) for image in (FILMS[0], FILMS[0][:, ::-1]))
        alone = deciding(checkpoint, mirror_size=None).engine
        one, other = alone.run(film), alone.run(mirrored)
        expected = np.abs(one.probability_map - other.probability_map[:, ::-1]) / 2
        assert expected.max() > 1e-3 and one.disagreement_map.max() == 0
        assert np.abs(Predictor(checkpoint).engine.run(film).disagreement_map - expected).max() < 1e-4

    def test_the_mirror_image_may_be_larger_than_the_film(self, checkpoint):
        alone, both = (deciding(checkpoint, mirror_size=size).engine for size in (None, 96))
        film = preprocess(FILMS[0], checkpoint.metadata.preprocessing)
        larger = cv2.resize(film[0, 0, :, ::-1], (96, 96), interpolation=cv2.INTER_LINEAR)
        one, other, mean = alone.run(film), alone.run(larger[None, None]), both.run(film)
        turned_back = cv2.resize(other.probability_map[:, ::-1], (64, 64), interpolation=cv2.INTER_AREA)
        assert mean.probability_map.shape == (64, 64)
        assert np.abs(mean.probability_map - (one.probability_map + turned_back) / 2).max() < 0.02
        assert mean.image_logit == pytest.approx((one.image_logit + other.image_logit) / 2, abs=1e-4)
        assert np.allclose(mean.features, (one.features + other.features) / 2, atol=1e-4)

    def test_without_averaging_it_is_not(self, checkpoint):
        predictor = deciding(checkpoint, mirror_size=None)
        film, mirrored = Radiograph(FILMS[0], "PNG"), Radiograph(FILMS[0][:, ::-1].copy(), "PNG")
        one, other = predictor.predict(film), predictor.predict(mirrored)
        assert np.abs(one.probability_map - other.probability_map[:, ::-1]).max() > 1e-3


def test_threads_get_the_answers_of_one(predictor):
    films = [Radiograph(film, "PNG") for film in FILMS] * 4
    expected = [predictor.predict(film) for film in films[: len(FILMS)]] * 4
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(predictor.predict, films))
    assert all(same(answer, right) for answer, right in zip(answers, expected, strict=True))
    assert not same(expected[0], expected[1])


@pytest.mark.parametrize(
    ("limits", "finding"), [(0, Finding.POSITIVE), (1.1, Finding.POSITIVE), (2, Finding.INDETERMINATE)]
)
def test_an_alarm_stands_on_an_unusual_film_and_on_no_other_picture(checkpoint, limits, finding):
    features = Predictor(checkpoint).engine.run(preprocess(FILMS[0], checkpoint.metadata.preprocessing)).features
    shift = 5 * limits / len(features) ** 0.5
    known = FeatureDistribution(mean=features + shift, whitening=np.eye(len(features), dtype=np.float32), limit=5.0)
    predictor = deciding(
        replace(checkpoint, feature_distribution=known),
        operating_point=ALWAYS[Finding.POSITIVE],
        postprocessing=MARK_EVERYTHING,
    )
    prediction = predictor.predict(Radiograph(FILMS[0], "PNG"))
    assert prediction.finding is finding
    assert prediction.mask.any() == bool(prediction.regions) == (finding is Finding.POSITIVE)
    doubts = {doubt.code: doubt.message for doubt in prediction.doubts}
    assert ("unlike_training_films" in doubts) == (limits > 1)
    assert prediction.withheld_for == (None if finding is Finding.POSITIVE else "unlike_training_films")
    if limits > 1:
        assert f"({5 * limits:.0f}; limit 5)" in doubts["unlike_training_films"]


@pytest.mark.parametrize(("no_film_distance", "finding"), [(1.4, Finding.INDETERMINATE), (1.6, Finding.POSITIVE)])
def test_where_pictures_begin_that_are_no_films_is_the_checkpoints_own(checkpoint, no_film_distance, finding):
    features = Predictor(checkpoint).engine.run(preprocess(FILMS[0], checkpoint.metadata.preprocessing)).features
    known = FeatureDistribution(features + 1.5 * 5 / len(features) ** 0.5, np.eye(len(features)), limit=5.0)
    metadata = replace(
        checkpoint.metadata,
        decision=replace(checkpoint.metadata.decision, operating_point=ALWAYS[Finding.POSITIVE]),
        population=replace(FIRST_RELEASES, no_film_distance=no_film_distance),
    )
    predictor = Predictor(replace(checkpoint, feature_distribution=known, metadata=metadata))
    assert predictor.predict(Radiograph(FILMS[0], "PNG")).finding is finding


class TestDoubtedFilm:
    """A doubt may take reassurance away, never an alarm."""

    @pytest.mark.parametrize("finding", ALWAYS)
    @pytest.mark.parametrize("code", sorted(DOUBTED.keys() & set(NO_REASSURANCE)))
    def test_is_positive_or_has_no_answer(self, checkpoint, code, finding):
        predictor = deciding(checkpoint, operating_point=ALWAYS[finding], postprocessing=MARK_EVERYTHING)
        prediction = predictor.predict(replace(FILM, **DOUBTED[code]))
        stands = finding is Finding.POSITIVE
        assert prediction.finding is (Finding.POSITIVE if stands else Finding.INDETERMINATE)
        assert prediction.mask.any() == bool(prediction.regions) == stands
        assert prediction.withheld_for == (None if stands else code)

    @pytest.mark.parametrize("code", sorted(DOUBTED.keys() - set(NO_REASSURANCE)))
    def test_keeps_a_negative_answer_under_other_doubts(self, checkpoint, code):
        predictor = deciding(checkpoint, operating_point=ALWAYS[Finding.NEGATIVE])
        prediction = predictor.predict(replace(FILM, **DOUBTED[code]))
        assert [doubt.code for doubt in prediction.doubts] == [code]
        assert prediction.finding is Finding.NEGATIVE


class TestCanary:
    def with_canary(self, checkpoint: Checkpoint, probability: float) -> Predictor:
        canary = {"film": base64.b64encode(to_png(FILMS[1])).decode(), "probability": probability}
        return Predictor(replace(checkpoint, metadata=replace(checkpoint.metadata, canary=canary)))

    def test_expected_answer(self, checkpoint, predictor):
        probability = predictor.predict(read_radiograph(to_png(FILMS[1]))).probability
        assert self.with_canary(checkpoint, probability).check_canary()
        assert self.with_canary(checkpoint, probability + 0.019).check_canary()

    def test_other_answer(self, checkpoint, predictor):
        probability = predictor.predict(read_radiograph(to_png(FILMS[1]))).probability
        assert not self.with_canary(checkpoint, probability + 0.021).check_canary()
        assert not self.with_canary(checkpoint, probability - 0.021).check_canary()


class TestLoad:
    def test_released(self, checkpoint_path, predictor):
        film = Radiograph(FILMS[0], "PNG")
        assert same(Predictor.load(checkpoint_path).predict(film), predictor.predict(film))

    def test_never_released(self, checkpoint, tmp_path):
        path = tmp_path / "unreleased.safetensors"
        save_checkpoint(path, checkpoint.model, replace(checkpoint.metadata, decision=None))
        with pytest.raises(CheckpointError, match="tiny has no thresholds yet"):
            Predictor.load(path)
