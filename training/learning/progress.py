"""How far a network has come, epoch by epoch: the same figures of training and of validation films."""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.metrics import precision_score

from training.errors import UserError
from training.measuring.metrics import auroc, dice_scores, mean_of_known


class EpochFigures:
    """Gathers what the forward passes of one epoch gave anyway, and sums it up at its end.

    A few numbers a film are kept, on the device that made them, so that a step waits for nothing.
    """

    def __init__(self) -> None:
        self.films: list[torch.Tensor] = []

    def add(
        self,
        mask_logits: torch.Tensor,
        image_logits: torch.Tensor,
        true_mask: torch.Tensor,
        true_label: torch.Tensor,
        loss: torch.Tensor,
    ) -> None:
        """Take in a batch, as `SegmentationLoss` takes it, and its loss."""
        predicted, true = mask_logits.detach() > 0, true_mask > 0
        counts = [mask.flatten(1).sum(dim=1) for mask in (predicted & true, predicted, true)]
        columns = [image_logits.detach()[:, 0], true_label[:, 0], *counts, loss.detach().expand(len(true))]
        self.films.append(torch.stack([column.float() for column in columns], dim=1))

    def figures(self, gather: Callable[[torch.Tensor], torch.Tensor] = lambda films: films) -> dict[str, float]:
        """Sum up all films.

        Args:
            gather: Joins the films of several processes, as Fabric's `all_gather`.

        Returns:
            "loss", "auroc_head", and at a probability of one half: "precision" and "accuracy" of the image head, and
            "dice_pos_at_half", the mean Dice score of the positive films. NaN where there is nothing to divide by.
        """
        films = gather(torch.cat(self.films)).cpu().numpy()
        if not np.isfinite(films).all():
            raise UserError("The network answers nothing finite: the training has diverged; lower the learning rate.")
        logit, label, *counts, loss = films.reshape(-1, films.shape[-1]).T
        label, called = label > 0.5, logit > 0  # a disputed label is a soft one
        dice = dice_scores(*counts)[counts[-1] > 0]
        return {
            "loss": float(loss.mean()),
            "auroc_head": auroc(label, logit),
            "precision": float(precision_score(label, called, zero_division=np.nan)),
            "accuracy": float((called == label).mean()),
            "dice_pos_at_half": mean_of_known(dice),
        }
