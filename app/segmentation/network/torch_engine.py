"""The network on PyTorch: the reference for every other engine, and the one that can be differentiated."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import interpolate

from app.segmentation.network.engine import Engine, NetworkOutput


@dataclass(frozen=True)
class Traced:
    """What the network says of films as they are, or of their mirror images, with what leads back to them.

    Attributes:
        features: The encoder's, of each stage, in the geometry of what was shown.
        maps: float32 (N, S, S) in [0, 1], in the films' geometry.
        heads: float32 (N,), logits of the image-level head.
    """

    features: list[torch.Tensor]
    maps: torch.Tensor
    heads: torch.Tensor


class TorchEngine(Engine):
    """A PyTorch module at work."""

    def __init__(self, model: torch.nn.Module, mirror_size: int | None) -> None:
        """Take a network.

        Args:
            model: From `Checkpoint.model`.
            mirror_size: As `Engine` has it.
        """
        super().__init__(f"PyTorch {torch.__version__}", mirror_size)
        self.model = model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own types lack it

    def trace(self, batch: torch.Tensor) -> list[Traced]:
        """Answer films and, if that is wanted, their mirror images, so that it can be differentiated.

        Args:
            batch: float32 (N, 1, S, S), from `preprocess`.
        """
        outputs = [self._traced(batch)]
        if self.mirror_size is not None:
            mirrored = self._traced(scaled_batch(batch.flip(-1), self.mirror_size))
            maps = scaled_batch(mirrored.maps[:, None].flip(-1), batch.shape[-1])[:, 0]
            outputs.append(Traced(mirrored.features, maps, mirrored.heads))
        return outputs

    @torch.inference_mode()  # grad mode is per thread: a call at start-up would not reach the server's threads
    def answer(self, batch: np.ndarray) -> NetworkOutput:
        """Run the network on one film or mirror image, float32 (1, 1, S, S), C-contiguous."""
        seen = self._traced(torch.from_numpy(batch))
        return NetworkOutput(seen.maps[0].numpy(), float(seen.heads[0]), seen.features[-1].mean(dim=(0, 2, 3)).numpy())

    def _traced(self, batch: torch.Tensor) -> Traced:
        features = self.model.encoder(batch.contiguous(memory_format=torch.channels_last))
        maps = self.model.segmentation_head(self.model.decoder(features))[:, 0].sigmoid()
        return Traced(features, maps, self.model.classification_head(features[-1])[:, 0])


def scaled_batch(images: torch.Tensor, side: int) -> torch.Tensor:
    """Bring square images, float32 (N, C, h, h), to another side, in pixels, as `engine.scaled` does."""
    if images.shape[-1] == side:
        return images
    return interpolate(images, (side, side), mode="bilinear", antialias=side < images.shape[-1])
