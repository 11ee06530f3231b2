"""Teachers: what several trained networks say together of a window becomes a part of what one network learns.

Networks that learnt from different folds err differently; their mean is steadier than each, and a reader's border less
certain than a mask says. After Hinton, Vinyals & Dean, "Distilling the knowledge in a neural network", 2015.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from app.segmentation.checkpoint import load_checkpoint


class Teachers:
    """Trained networks, and how much is believed of them."""

    def __init__(self, paths: Sequence[Path], share: float, device: torch.device) -> None:
        """Load checkpoints.

        Args:
            paths: Of the teachers; none: the reference is believed alone.
            share: Of what is learnt that is theirs, 0 to 1; the rest is the reference's.
            device: Where they answer.
        """
        self.models = [load_checkpoint(path).model.eval().requires_grad_(False).to(device) for path in paths]
        self.share = share

    @torch.no_grad()
    def blend(
        self, image: torch.Tensor, true_mask: torch.Tensor, true_label: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mix a reference with what the teachers answer.

        Args:
            image: float (N, 1, S, S), as the network is shown it.
            true_mask: float (N, 1, S, S) in [0, 1].
            true_label: float (N, 1) in [0, 1].

        Returns:
            Mask and label to learn, of the same shapes. Nothing is marked where the label is 0: the map of a film
            without a pneumothorax is known.
        """
        if not self.models:
            return true_mask, true_label
        answers = [model(image) for model in self.models]
        mask = torch.stack([logits.float().sigmoid() for logits, _ in answers]).mean(dim=0)
        label = torch.stack([logits.float().sigmoid() for _, logits in answers]).mean(dim=0)
        marked = true_mask.amax(dim=(1, 2, 3), keepdim=True) > 0
        return (
            torch.where(marked, torch.lerp(true_mask, mask.to(true_mask), self.share), true_mask),
            torch.lerp(true_label, label.to(true_label), self.share),
        )
