"""The network as a function from a tensor to evidence."""

from dataclasses import dataclass

import numpy as np
import torch

from app.segmentation.calibration import map_logit


@dataclass(frozen=True)
class Evidence:
    """What the network says of one film, before any threshold.

    Attributes:
        probability_map: float32 (S, S) in [0, 1], in the network's own geometry.
        disagreement_map: float32 (S, S) in [0, 0.5], how far the film's own map and its mirror image's lie
            from their mean; zero where there is no flip averaging.
        image_logit: The image-level head's.
        map_logit: The map's, condensed by `calibration.map_logit`.
        features: float32 (C,), the encoder's deepest features, averaged over the film.
    """

    probability_map: np.ndarray
    disagreement_map: np.ndarray
    image_logit: float
    map_logit: float
    features: torch.Tensor


class Engine:
    """A network on PyTorch, on the CPU; safe to call from several threads."""

    def __init__(self, model: torch.nn.Module, flip_averaging: bool) -> None:
        """Take a network in evaluation mode.

        Args:
            model: From `load_checkpoint`.
            flip_averaging: Whether to average the film's answer with its mirror image's.
        """
        self.model = model.eval().to(memory_format=torch.channels_last)
        self.flip_averaging = flip_averaging

    @torch.inference_mode()  # grad mode is per thread: a call at start-up would not reach the server's threads
    def run(self, batch: torch.Tensor) -> Evidence:
        """Run the network on one film.

        Args:
            batch: float32 (1, 1, S, S), from `preprocess`.
        """
        if self.flip_averaging:
            batch = torch.cat([batch, batch.flip(-1)])
        features = self.model.encoder(batch.contiguous(memory_format=torch.channels_last))
        mask_logits = self.model.segmentation_head(self.model.decoder(features))
        image_logits = self.model.classification_head(features[-1])
        maps = mask_logits[:, 0].sigmoid()
        if self.flip_averaging:
            maps = torch.stack([maps[0], maps[1].flip(-1)])
        probability_map = maps.mean(dim=0).numpy()
        return Evidence(
            probability_map=probability_map,
            disagreement_map=maps.std(dim=0, correction=0).numpy(),
            image_logit=float(image_logits.mean()),
            map_logit=map_logit(probability_map),
            features=features[-1].mean(dim=(0, 2, 3)),
        )
