"""The network as a function from a film's array to evidence, whatever library does the arithmetic."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from app.segmentation.network.logits import map_logit


@dataclass(frozen=True)
class NetworkOutput:
    """What the network says of a film as it is, or of its mirror image.

    Attributes:
        probability_map: float32 (S, S) in [0, 1], in the geometry of what was shown.
        image_logit: The image-level head's.
        features: float32 (C,), the encoder's deepest features, averaged over the film.
    """

    probability_map: np.ndarray
    image_logit: float
    features: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """What the network says of one film, before any threshold.

    Attributes:
        probability_map: float32 (S, S) in [0, 1], in the network's own geometry.
        disagreement_map: float32 (S, S) in [0, 0.5], how far the film's own map and its mirror image's lie
            from their mean; zero where no mirror image is answered.
        image_logit: The image-level head's.
        map_logit: The map's, condensed by `logits.map_logit`.
        features: float32 (C,), the encoder's deepest features, averaged over the film.
    """

    probability_map: np.ndarray
    disagreement_map: np.ndarray
    image_logit: float
    map_logit: float
    features: np.ndarray


class Engine(ABC):
    """A network at work on the CPU, one film at a time; safe to call from several threads.

    Attributes:
        description: Library and version, as the log, `/readyz` and every answer name it.
        mirror_size: Side of the square, in pixels, at which the mirror image is answered too, and averaged with
            the film; None: the film alone.
    """

    def __init__(self, description: str, mirror_size: int | None) -> None:
        self.description = description
        self.mirror_size = mirror_size

    def run(self, batch: np.ndarray) -> Evidence:
        """Run the network on one film and, if that is wanted, on its mirror image.

        Args:
            batch: float32 (1, 1, S, S), from `preprocess`.
        """
        outputs = [self.answer(batch)]
        if self.mirror_size is not None:
            answer = self.answer(mirrored(batch, self.mirror_size))
            turned_back = scaled(answer.probability_map[:, ::-1], batch.shape[-1])
            outputs.append(NetworkOutput(turned_back, answer.image_logit, answer.features))
        return _mean_of(outputs)

    @abstractmethod
    def answer(self, batch: np.ndarray) -> NetworkOutput:
        """Run the network on one film or mirror image, float32 (1, 1, S, S), C-contiguous."""


def mirrored(batch: np.ndarray, side: int) -> np.ndarray:
    """Turn a film, float32 (1, 1, S, S), into its mirror image of another side, in pixels."""
    return np.ascontiguousarray(scaled(batch[0, 0, :, ::-1], side))[None, None]


def scaled(image: np.ndarray, side: int) -> np.ndarray:
    """Bring a square image, float32 (h, h), to another side, in pixels; what is shrunk is smoothed as much."""
    if len(image) == side:
        return image
    shown = Image.fromarray(np.ascontiguousarray(image)).resize((side, side), Image.Resampling.BILINEAR)
    return np.array(shown)


def _mean_of(outputs: Sequence[NetworkOutput]) -> Evidence:
    maps = np.stack([output.probability_map for output in outputs])
    probability_map = maps.mean(axis=0)
    return Evidence(
        probability_map=probability_map,
        disagreement_map=maps.std(axis=0),
        image_logit=float(np.mean([output.image_logit for output in outputs])),
        map_logit=map_logit(probability_map),
        features=np.mean([output.features for output in outputs], axis=0),
    )
