"""The network as a function from a tensor to evidence."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import interpolate

from app.segmentation.decision.calibration import map_logit


@dataclass(frozen=True)
class Evidence:
    """What the network says of one film, before any threshold.

    Attributes:
        probability_map: float32 (S, S) in [0, 1], in the network's own geometry.
        disagreement_map: float32 (S, S) in [0, 0.5], how far the film's own map and its mirror image's lie
            from their mean; zero where no mirror image is answered.
        image_logit: The image-level head's.
        map_logit: The map's, condensed by `calibration.map_logit`.
        features: float32 (C,), the encoder's deepest features, averaged over the film.
    """

    probability_map: np.ndarray
    disagreement_map: np.ndarray
    image_logit: float
    map_logit: float
    features: torch.Tensor


@dataclass(frozen=True)
class View:
    """What the network says of films as they are, or of their mirror images.

    Attributes:
        features: The encoder's, of each stage, in the view's own geometry.
        maps: float32 (N, S, S) in [0, 1], in the films' geometry.
        heads: float32 (N,), logits of the image-level head.
    """

    features: list[torch.Tensor]
    maps: torch.Tensor
    heads: torch.Tensor


class Engine:
    """A network on PyTorch, on the CPU; safe to call from several threads."""

    def __init__(self, model: torch.nn.Module, mirror_size: int | None) -> None:
        """Take a network in evaluation mode.

        Args:
            model: From `load_checkpoint`.
            mirror_size: Side of the square, in pixels, at which the mirror image is answered too, and averaged with
                the film; None: the film alone.
        """
        self.model = model.eval().to(memory_format=torch.channels_last)
        self.mirror_size = mirror_size

    @torch.inference_mode()  # grad mode is per thread: a call at start-up would not reach the server's threads
    def run(self, batch: torch.Tensor) -> Evidence:
        """Run the network on one film.

        Args:
            batch: float32 (1, 1, S, S), from `preprocess`.
        """
        views = self.view(batch)
        maps = torch.stack([view.maps[0] for view in views])
        probability_map = maps.mean(dim=0).numpy()
        return Evidence(
            probability_map=probability_map,
            disagreement_map=maps.std(dim=0, correction=0).numpy(),
            image_logit=float(torch.stack([view.heads[0] for view in views]).mean()),
            map_logit=map_logit(probability_map),
            features=torch.stack([view.features[-1].mean(dim=(0, 2, 3)) for view in views]).mean(dim=0),
        )

    def view(self, batch: torch.Tensor) -> list[View]:
        """Answer films and, if that is wanted, their mirror images, so that it can be differentiated.

        Args:
            batch: float32 (N, 1, S, S), from `preprocess`.
        """
        views = [self._answer(batch)]
        if self.mirror_size is not None:
            mirrored = self._answer(scaled(batch.flip(-1), self.mirror_size))
            maps = scaled(mirrored.maps[:, None].flip(-1), batch.shape[-1])[:, 0]
            views.append(View(mirrored.features, maps, mirrored.heads))
        return views

    def _answer(self, batch: torch.Tensor) -> View:
        features = self.model.encoder(batch.contiguous(memory_format=torch.channels_last))
        maps = self.model.segmentation_head(self.model.decoder(features))[:, 0].sigmoid()
        return View(features, maps, self.model.classification_head(features[-1])[:, 0])


def scaled(images: torch.Tensor, side: int) -> torch.Tensor:
    """Bring square images, float32 (N, C, h, h), to another side, in pixels."""
    if images.shape[-1] == side:
        return images
    return interpolate(images, (side, side), mode="bilinear", antialias=side < images.shape[-1])
