"""What moved a film's score: Grad-CAM at every encoder stage, feature maps, occlusion sensitivity.

The score is the logit of the calibrated probability, the figure that a reader is shown. The image head's logit alone
would leave out the map's share in it, and the probability itself is flat where the network is sure, so that nothing
seems to matter there. `Calibration(1, 0, 0)` makes the image head's logit the score, also of a checkpoint that was
never calibrated.

The maps show what the score leaned on. They are no localisation of disease: that is what the probability map was
trained for, and `training.evidence.explain` measures how much worse the maps below are at it.

Nothing here keeps a state or touches the network's gradients, so that films may be answered meanwhile. It needs the
network as a PyTorch module. captum offers the same, but brings matplotlib with it and takes one backward pass a stage;
the tests hold this module's Grad-CAM to captum's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product
from typing import Protocol

import numpy as np
import torch

from app.segmentation.network.logits import bright_pixels
from app.segmentation.network.torch_engine import TorchEngine, Traced, scaled_batch

FEATURE_MAPS = 12
"""Channels of the final encoder block that are shown, of some hundreds."""
OCCLUSION_CELLS = 16
"""Cells along a side of an occlusion map; the patch that hides a part of the film covers two by two of them."""


class Scoring(Protocol):
    """What makes a film's score of its two logits; `Calibration` does."""

    def score(self, image_logit: torch.Tensor, map_logit: torch.Tensor) -> torch.Tensor:
        """Return the score."""


@dataclass(frozen=True)
class FeatureMap:
    """One channel of the final encoder block, weighted by how the score depends on it.

    Attributes:
        channel: Its number in the block.
        contribution: About how many logits it raised the score by, the sum of `weighted`; negative where it lowered it.
        weighted: float32 (h, w), its activations times their weight in Grad-CAM.
    """

    channel: int
    contribution: float
    weighted: np.ndarray


@dataclass(frozen=True)
class Activations:
    """What one backward pass tells.

    Attributes:
        score: Logit of the calibrated probability.
        stages: Grad-CAM of each encoder stage, fine to coarse, float32 (S / 2^k, S / 2^k), not negative, in units of
            its own: compare places within a map, not maps. A dilated encoder, as DeepLabV3+'s, halves less often
            than it has stages; one that halves twice in its first (MiT, ConvNeXt) has a stage less.
        feature_maps: The channels of the final block with the largest contributions, either way.
    """

    score: float
    stages: tuple[np.ndarray, ...]
    feature_maps: tuple[FeatureMap, ...]


@dataclass(frozen=True)
class Occlusion:
    """An occlusion map, finished or on its way.

    Attributes:
        done: Patches tried so far.
        total: Patches to try.
        drops: float32 (G, G): by how many logits the score falls when a patch hides this place, a mean over the
            patches that do. Negative where it rises; NaN where none has been tried yet.
    """

    done: int
    total: int
    drops: np.ndarray


def trace_activations(engine: TorchEngine, calibration: Scoring, batch: np.ndarray) -> Activations:
    """Compute Grad-CAM of every encoder stage and the feature maps of the last, in one backward pass.

    A film and its mirror image share in the score where the engine averages them. Their maps are added, the mirror's
    turned back, before negative values are cut off.

    Args:
        engine: The network.
        calibration: What makes the score of its two logits.
        batch: float32 (1, 1, S, S), from `preprocess`.

    References:
        Selvaraju et al., "Grad-CAM", ICCV 2017.
    """
    with torch.enable_grad():
        scores, outputs = _score(engine, calibration, torch.from_numpy(batch).clone().requires_grad_())
        # smp fills in a missing stage without channels
        stages_of = [[stage for stage in output.features[1:] if stage.numel()] for output in outputs]
        # leaves the parameters' gradients alone; zero where nothing is made of a stage
        gradients = iter(torch.autograd.grad(scores.sum(), list(chain(*stages_of)), materialize_grads=True))
    weighted_of = [
        [(next(gradients).mean(dim=(2, 3), keepdim=True) * stage.detach())[0] for stage in stages]
        for stages in stages_of
    ]
    weighted = [_with_mirrored(*of_outputs) for of_outputs in zip(*weighted_of, strict=True)]
    contributions = weighted[-1].sum(dim=(1, 2))
    largest = contributions.abs().topk(min(FEATURE_MAPS, len(contributions))).indices.tolist()
    return Activations(
        score=float(scores.detach()),
        stages=tuple(stage.sum(dim=0).relu().numpy() for stage in weighted),
        feature_maps=tuple(FeatureMap(k, float(contributions[k]), weighted[-1][k].numpy()) for k in largest),
    )


def occlude(
    engine: TorchEngine, calibration: Scoring, batch: np.ndarray, cells: int = OCCLUSION_CELLS, at_once: int = 4
) -> Iterator[Occlusion]:
    """Hide one patch of the film after another, and see how the score falls.

    The patch has the film's mean grey. Black would look like air, and so like a pneumothorax; a blur takes away the
    markings of the lung, which is how a pneumothorax looks too.

    Args:
        engine: The network.
        calibration: What makes the score of its two logits.
        batch: float32 (1, 1, S, S), from `preprocess`, whose mean is 0.
        cells: Cells along a side of the map; S must be a multiple.
        at_once: Patches tried between two yields.

    Yields:
        The map so far. Whoever stops asking stops the computation.

    Raises:
        ValueError: If S is not a multiple of `cells`.

    References:
        Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
    """
    side, rest = divmod(batch.shape[-1], cells)
    if rest or not side:
        raise ValueError(f"A film of {batch.shape[-1]} pixels cannot be cut into {cells} cells a side.")
    # patches that lie edge to edge come first, so that the whole film is seen coarsely soon
    places = sorted(product(range(cells - 1), repeat=2), key=lambda place: place[0] % 2 + place[1] % 2)
    sums, counts = np.zeros((cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    film = torch.from_numpy(batch)
    whole = _scores_of(engine, calibration, film)[0]
    for start in range(0, len(places), at_once):
        some = places[start : start + at_once]
        hidden = film.repeat(len(some), 1, 1, 1)
        for one, (row, column) in zip(hidden, some, strict=True):
            one[:, row * side : (row + 2) * side, column * side : (column + 2) * side] = 0
        for (row, column), score in zip(some, _scores_of(engine, calibration, hidden), strict=True):
            sums[row : row + 2, column : column + 2] += whole - score
            counts[row : row + 2, column : column + 2] += 1
        yield Occlusion(start + len(some), len(places), np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


@torch.inference_mode()
def _scores_of(engine: TorchEngine, calibration: Scoring, batch: torch.Tensor) -> np.ndarray:
    return _score(engine, calibration, batch)[0].numpy()


def _score(engine: TorchEngine, calibration: Scoring, batch: torch.Tensor) -> tuple[torch.Tensor, list[Traced]]:
    """Score films, float32 (N, 1, S, S), as `Engine.run` and `Calibration.score` do, so that it can be differentiated.

    Returns:
        The scores, (N,), and what was seen of the films and of their mirror images.
    """
    outputs = engine.trace(batch)
    maps = torch.stack([output.maps for output in outputs]).mean(dim=0)
    heads = torch.stack([output.heads for output in outputs]).mean(dim=0)
    map_logits = maps.flatten(1).topk(bright_pixels(maps[0].numel())).values.mean(dim=1).logit(eps=1e-6)
    return calibration.score(heads, map_logits), outputs


def _with_mirrored(film: torch.Tensor, mirrored: torch.Tensor | None = None) -> torch.Tensor:
    """Add a film's maps, (C, h, h), and its mirror image's, if there are any, turned back; sums stay what they are."""
    if mirrored is None:
        return film
    side = film.shape[-1]
    return film + scaled_batch(mirrored[None].flip(-1), side)[0] * (mirrored.shape[-1] / side) ** 2
