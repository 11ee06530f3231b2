"""Pixel BCE + Dice on the mask, BCE on the image-level head."""

from dataclasses import dataclass

import torch

from app.segmentation import torchvision_compat  # noqa: F401  before smp, which imports torchvision

from segmentation_models_pytorch.losses import DiceLoss  # isort: skip


@dataclass(frozen=True)
class LossWeights:
    """Relative weights of the three terms."""

    bce: float = 1.0
    dice: float = 1.0
    image: float = 0.5


class SegmentationLoss(torch.nn.Module):
    """Weighted sum of pixel BCE, batch Dice and image BCE.

    The Dice is taken over the whole batch: on a film without pneumothorax the Dice of the film alone
    is undefined, whereas over a batch its false positives count.
    """

    def __init__(self, weights: LossWeights) -> None:
        super().__init__()
        self.weights = weights
        self.bce = torch.nn.BCEWithLogitsLoss()
        self.dice = DiceLoss("binary", from_logits=True, smooth=1.0)

    def forward(
        self, mask_logits: torch.Tensor, image_logits: torch.Tensor, true_mask: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Compare a batch with its reference masks.

        Args:
            mask_logits: float (N, 1, S, S).
            image_logits: float (N, 1).
            true_mask: float (N, 1, S, S) in {0, 1}.

        Returns:
            Scalars "bce", "dice", "image" and their weighted sum, "loss".
        """
        positive = true_mask.flatten(1).amax(dim=1, keepdim=True)
        terms = {
            "bce": self.bce(mask_logits, true_mask),
            "dice": self.dice(mask_logits, true_mask),
            "image": self.bce(image_logits, positive),
        }
        weights = self.weights
        total = weights.bce * terms["bce"] + weights.dice * terms["dice"] + weights.image * terms["image"]
        return {"loss": total, **terms}
