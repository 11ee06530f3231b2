"""Pixel BCE + Dice, over the batch and film by film, on the mask; BCE on the image-level head."""

from dataclasses import dataclass

import torch

from app.segmentation.network import torchvision_compat  # noqa: F401  before smp, which imports torchvision

from segmentation_models_pytorch.losses import DiceLoss  # isort: skip


@dataclass(frozen=True)
class LossWeights:
    """Relative weights of the terms; `findings` is the report's findings', whose head is there only where it is set."""

    bce: float = 1.0
    dice: float = 0.5
    film_dice: float = 1.0
    image: float = 0.5
    findings: float = 0.0


class SegmentationLoss(torch.nn.Module):
    """Weighted sum of pixel BCE, two Dice losses and image BCE.

    One Dice is taken over the whole batch: on a film without pneumothorax the Dice of the film alone
    is undefined, whereas over a batch its false positives count. But large pneumothoraces outweigh
    small ones there, so the other is the mean over the positive films of each film's own.
    """

    def __init__(self, weights: LossWeights) -> None:
        super().__init__()
        self.weights = weights
        self.bce = torch.nn.BCEWithLogitsLoss()
        self.dice = DiceLoss("binary", from_logits=True, smooth=1.0)

    def forward(
        self, mask_logits: torch.Tensor, image_logits: torch.Tensor, true_mask: torch.Tensor, true_label: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Compare a batch with its reference masks.

        Args:
            mask_logits: float (N, 1, S, S).
            image_logits: float (N, 1).
            true_mask: float (N, 1, S, S) in [0, 1].
            true_label: float (N, 1) in [0, 1].

        Returns:
            Scalars "bce", "dice", "film_dice" (0 where no film is positive), "image" and their weighted
            sum, "loss".
        """
        positives = (true_mask.flatten(1).amax(dim=1) > 0).sum()
        films = zip(mask_logits.split(1), true_mask.split(1), strict=True)
        film_dice = torch.stack([self.dice(*film) for film in films])  # smp gives 0 where the true mask is empty
        terms = {
            "bce": self.bce(mask_logits, true_mask),
            "dice": self.dice(mask_logits, true_mask),
            "film_dice": film_dice.sum() / positives.clamp(min=1),
            "image": self.bce(image_logits, true_label),
        }
        weights = self.weights
        total = sum(getattr(weights, name) * term for name, term in terms.items())
        return {"loss": total, **terms}
