"""Explanations of networks whose reasons are known, and Grad-CAM against an independent implementation."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.decision.calibration import Calibration
from app.segmentation.network.attribution import Occlusion, occlude, trace_activations
from app.segmentation.network.logits import logit
from app.segmentation.network.model import ARCHITECTURES, ModelConfig, build_model
from app.segmentation.network.preprocessing import PreprocessingConfig, preprocess
from app.segmentation.network.torch_engine import TorchEngine
from app.segmentation.predictor import Predictor
from app.segmentation.reading.radiograph import Radiograph
from training.releasing.phantom.drawing import draw_phantom

HEAD = Calibration(1.0, 0.0, 0.0)
BOTH = Calibration(0.4, 0.3, -1.0)
FILM = draw_phantom(3, 256).image
BRIGHT, DARK = (slice(8, 16), slice(40, 48)), (slice(40, 56), slice(8, 24))
"""A bright patch in the upper right of a film of 64 × 64, and a larger dark one in its lower left."""


class BrightPatchNetwork(torch.nn.Module):
    """Its head sums what is bright and its map marks it; the second channel, of what is dark, has no say."""

    def __init__(self, sign: float = 1.0) -> None:
        super().__init__()
        self.sign = sign
        self.decoder = torch.nn.Identity()

    def encoder(self, batch: torch.Tensor) -> list[torch.Tensor]:
        channels = torch.cat([(batch - 1).relu(), 5 * (-batch - 1).relu()], dim=1)
        fine = torch.nn.functional.avg_pool2d(channels, 2)
        return [batch, fine, torch.nn.functional.avg_pool2d(fine, 2)]

    def classification_head(self, features: torch.Tensor) -> torch.Tensor:
        return self.sign * features[:, :1].sum(dim=(2, 3))

    def segmentation_head(self, features: list[torch.Tensor]) -> torch.Tensor:
        return features[0] - 2 + 0 * features[1].mean()


def patch_film() -> np.ndarray:
    """The film with the two patches, and a mean of 0."""
    film = np.zeros((1, 1, 64, 64), np.float32)
    film[0, 0][BRIGHT], film[0, 0][DARK] = 4, -3
    return film - film.mean()


def known(sign: float = 1.0, mirror_size: int | None = 64) -> TorchEngine:
    return TorchEngine(BrightPatchNetwork(sign), mirror_size)


def finished(*arguments: object, **options: object) -> Occlusion:
    *_, last = occlude(*arguments, **options)
    return last


@pytest.fixture(scope="module")
def predictor(checkpoint_path) -> Predictor:
    return Predictor.load(checkpoint_path)


@pytest.fixture(scope="module")
def batch(predictor) -> np.ndarray:
    return preprocess(FILM, predictor.metadata.preprocessing)


class TestActivations:
    def test_score_is_that_of_the_answer(self, predictor, batch):
        traced = trace_activations(predictor.engine, predictor.decision.calibration, batch)
        assert traced.score == pytest.approx(logit(predictor.predict(Radiograph(FILM, "PNG")).probability), abs=1e-4)

    @pytest.mark.parametrize("mirror_size", [96, None])
    def test_without_averaging_and_at_two_sizes_too(self, predictor, batch, mirror_size):
        engine = TorchEngine(predictor.engine.model, mirror_size)
        evidence = engine.run(batch)
        expected = BOTH.image_weight * evidence.image_logit + BOTH.map_weight * evidence.map_logit + BOTH.bias
        assert trace_activations(engine, BOTH, batch).score == pytest.approx(expected, abs=1e-4)
        assert expected != pytest.approx(trace_activations(predictor.engine, BOTH, batch).score, abs=1e-4)

    def test_one_map_a_stage_fine_to_coarse(self, predictor, batch):
        stages = trace_activations(predictor.engine, BOTH, batch).stages
        assert [stage.shape for stage in stages] == [(side, side) for side in (32, 16, 8, 4, 2)]
        assert all(stage.dtype == np.float32 and stage.min() >= 0 for stage in stages)
        assert all(stage.max() > 0 for stage in stages[:2])

    @pytest.mark.parametrize("mirror_size", [64, 96, None])
    @pytest.mark.parametrize("calibration", [HEAD, BOTH])
    def test_peaks_at_the_patch_that_makes_the_score(self, mirror_size, calibration):
        for stage in trace_activations(known(mirror_size=mirror_size), calibration, patch_film()).stages:
            shrunk = tuple(slice(s.start * len(stage) // 64, s.stop * len(stage) // 64) for s in BRIGHT)
            inside = np.zeros(stage.shape, dtype=bool)
            inside[shrunk] = True
            assert stage[inside].min() > 0
            if mirror_size == 96:  # its pixels straddle the film's
                assert stage[~inside].max() < stage[inside].min()
            else:
                assert stage[~inside].max() == pytest.approx(0, abs=1e-6)

    def test_what_lowers_the_score_is_cut_off(self):
        traced = trace_activations(known(sign=-1.0), HEAD, patch_film())
        assert traced.score < 0
        assert all(stage.max() == 0 for stage in traced.stages)
        assert traced.feature_maps[0].contribution < 0

    def test_feature_maps_rank_what_has_a_say(self):
        raising, idle = trace_activations(known(), HEAD, patch_film()).feature_maps
        assert (raising.channel, idle.channel) == (0, 1)
        assert raising.contribution > 1 and idle.contribution == 0
        assert raising.weighted[2:4, 10:12].min() > 0 and idle.weighted.any() == 0
        assert raising.contribution == pytest.approx(raising.weighted.sum(), rel=1e-5)

    def test_feature_maps_of_the_network_add_up_to_its_last_stage(self, checkpoint_path, monkeypatch, predictor, batch):
        monkeypatch.setattr("app.segmentation.network.attribution.FEATURE_MAPS", 320)
        traced = trace_activations(predictor.engine, BOTH, batch)
        total = sum(channel.weighted for channel in traced.feature_maps)
        assert np.abs(np.maximum(total, 0) - traced.stages[-1]).max() < 1e-4 * max(1, np.abs(total).max())
        sizes = [abs(channel.contribution) for channel in traced.feature_maps]
        assert sizes == sorted(sizes, reverse=True) and len(sizes) == 320

    @pytest.mark.parametrize("stage", range(5))
    def test_agrees_with_captum(self, predictor, batch, stage):
        network = predictor.engine.model
        ends = (network.encoder._swish, *(network.encoder._blocks[index] for index in network.encoder._out_indexes))

        class Score(torch.nn.Module):
            def forward(self, batch: torch.Tensor) -> torch.Tensor:
                mask_logits, image_logits = network(batch)
                brightest = mask_logits.sigmoid().flatten(1).topk(round(0.0025 * 64 * 64)).values.mean(dim=1)
                return BOTH.image_weight * image_logits[:, 0] + BOTH.map_weight * brightest.logit()

        expected = LayerGradCam(Score(), ends[stage]).attribute(torch.from_numpy(batch), relu_attributions=True)
        expected = expected[0, 0].detach().numpy()
        stages = trace_activations(TorchEngine(network, mirror_size=None), BOTH, batch).stages
        assert np.abs(stages[stage] - expected).max() < 1e-4 * max(expected.max(), 1e-6)

    def test_leaves_the_network_as_it_was(self, checkpoint_path, batch):
        checkpoint = load_checkpoint(checkpoint_path)
        before = {name: tensor.clone() for name, tensor in checkpoint.model.state_dict().items()}
        trace_activations(TorchEngine(checkpoint.model, 64), BOTH, batch)
        assert all(parameter.grad is None for parameter in checkpoint.model.parameters())
        assert all(torch.equal(tensor, before[name]) for name, tensor in checkpoint.model.state_dict().items())


class TestOcclusion:
    @pytest.mark.parametrize("calibration", [HEAD, BOTH])
    def test_peaks_at_the_patch_that_makes_the_score(self, calibration):
        drops = finished(known(), calibration, patch_film()).drops
        peak = np.unravel_index(drops.argmax(), drops.shape)
        assert peak[0] in (2, 3) and peak[1] in (10, 11)
        elsewhere = drops.copy()
        elsewhere[1:5, 9:13] = 0
        assert np.abs(elsewhere).max() == pytest.approx(0, abs=1e-5)

    def test_is_the_fall_of_the_score_in_logits(self):
        whole = trace_activations(known(), HEAD, patch_film()).score
        first = next(iter(occlude(known(), HEAD, patch_film(), cells=2, at_once=1)))
        assert (first.done, first.total) == (1, 1)  # one patch hides the whole film
        assert first.drops == pytest.approx(np.full((2, 2), whole), rel=1e-5)

    def test_is_negative_where_the_score_rises(self):
        drops = finished(known(sign=-1.0), HEAD, patch_film()).drops
        assert drops.min() < -0.1 and drops.max() == pytest.approx(0, abs=1e-5)

    def test_comes_piece_by_piece(self):
        steps = list(occlude(known(), HEAD, patch_film(), cells=4, at_once=4))
        assert [(step.done, step.total) for step in steps] == [(4, 9), (8, 9), (9, 9)]
        assert not any(np.isnan(step.drops).any() for step in steps)  # four patches cover the film edge to edge
        one_by_one = list(occlude(known(), HEAD, patch_film(), cells=4, at_once=1))
        assert [int(np.isnan(step.drops).sum()) for step in one_by_one] == [12, 8, 4, 0, 0, 0, 0, 0, 0]
        assert np.abs(steps[-1].drops - one_by_one[-1].drops).max() < 1e-5

    def test_stops_when_nobody_asks(self, monkeypatch):
        engine, calls = known(), []
        monkeypatch.setattr(
            engine.model, "encoder", lambda batch, run=engine.model.encoder: calls.append(1) or run(batch)
        )
        steps = occlude(engine, HEAD, patch_film(), at_once=1)
        next(steps)
        steps.close()
        assert len(calls) == 4  # the whole film and the first patch, and their mirror images

    def test_leaves_film_and_grad_mode_alone(self):
        film = patch_film()
        steps = occlude(known(), HEAD, film)
        next(steps)
        assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
        assert np.array_equal(film, patch_film())

    def test_a_flat_film_has_nothing_to_hide(self, predictor):
        flat = preprocess(np.full((64, 64), 0.5, np.float32), PreprocessingConfig(64))
        drops = finished(predictor.engine, BOTH, flat, cells=4).drops
        assert np.abs(drops).max() < 1e-4

    def test_cells_must_fit(self):
        with pytest.raises(ValueError, match="64 pixels cannot be cut into 12 cells"):
            next(occlude(known(), HEAD, patch_film(), cells=12))


def test_threads_get_the_maps_of_one(predictor):
    films = [preprocess(draw_phantom(seed, 256).image, PreprocessingConfig(64)) for seed in range(2)] * 4

    def explained(batch: np.ndarray) -> list[np.ndarray]:
        occlusion = finished(predictor.engine, BOTH, batch, cells=4)
        return [*trace_activations(predictor.engine, BOTH, batch).stages, occlusion.drops]

    alone = [explained(film) for film in films[:2]] * 4
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(explained, films))
    for one, other in zip(alone, together, strict=True):
        assert all(np.abs(a - b).max() <= 1e-4 * max(1, np.abs(a).max()) for a, b in zip(one, other, strict=True))


def test_the_image_head_alone_needs_no_calibration(checkpoint_path):
    checkpoint = load_checkpoint(checkpoint_path)
    batch = preprocess(FILM, checkpoint.metadata.preprocessing)
    engine = TorchEngine(checkpoint.model, mirror_size=None)
    assert trace_activations(engine, HEAD, batch).score == pytest.approx(engine.run(batch).image_logit, abs=1e-4)


class TestEveryArchitecture:
    @pytest.mark.parametrize(
        ("encoder", "architecture"),
        [*(("efficientnet-b0", name) for name in ARCHITECTURES), ("mit_b0", "unet"), ("mit_b0", "deeplabv3plus")],
    )
    @pytest.mark.parametrize("depth", [3, 5])
    def test_is_explained(self, encoder, architecture, depth):
        """MiT lacks a first stage, and the image head's logit alone makes nothing of what only a decoder sees."""
        channels = (16,) * (1 if architecture == "deeplabv3plus" else depth)
        config = ModelConfig(encoder, channels, architecture=architecture, encoder_depth=depth)
        engine = TorchEngine(build_model(config), mirror_size=64)
        batch = preprocess(FILM, PreprocessingConfig(64))
        evidence = engine.run(batch)
        for calibration in (HEAD, BOTH):
            traced = trace_activations(engine, calibration, batch)
            expected = calibration.probability(evidence.image_logit, evidence.map_logit)
            assert traced.score == pytest.approx(logit(expected), abs=1e-4)
            sides = [len(stage) for stage in traced.stages]
            assert sides == sorted(sides, reverse=True) and sides[0] == (16 if encoder == "mit_b0" else 32)
            assert len(sides) == depth - (encoder == "mit_b0")
        assert traced.stages[0].max() > 0
        assert finished(engine, BOTH, batch, cells=2).drops.any()
