"""Hard negatives, named by the network itself: negative films that it takes for positive are shown more often."""

from collections.abc import Callable

import numpy as np
import torch

MEMORY = 0.5
"""What a film's former alarms count beside the last epoch's."""


class FalseAlarms:
    """How strongly each negative film was suspected when the network last saw it."""

    def __init__(self, labels: np.ndarray) -> None:
        """Take the labels of all films, 1 for positive; positives raise no false alarm."""
        self.negative = torch.from_numpy(labels == 0)
        self.scores = torch.zeros(len(labels), dtype=torch.float64)
        self.seen: list[torch.Tensor] = []

    def add(self, rows: torch.Tensor, image_logits: torch.Tensor) -> None:
        """Take in what the image head said of some films, (N,) and (N, 1); a step waits for nothing."""
        self.seen.append(torch.stack([rows.to(image_logits.device).float(), image_logits.detach()[:, 0].float()], 1))

    def end_epoch(self, gather: Callable[[torch.Tensor], torch.Tensor] = lambda films: films) -> None:
        """Bring the films of the epoch up to date, those of all processes, joined by `gather`."""
        rows, logits = gather(torch.cat(self.seen)).cpu().double().reshape(-1, 2).T
        rows = rows.long()
        counts = torch.zeros_like(self.scores).index_add_(0, rows, torch.ones_like(logits))
        sums = torch.zeros_like(self.scores).index_add_(0, rows, logits.sigmoid())
        shown = (counts > 0) & self.negative
        self.scores[shown] = MEMORY * self.scores[shown] + (1 - MEMORY) * sums[shown] / counts[shown]
        self.seen = []

    def weights(self, strength: float) -> np.ndarray:
        """Say how much more often each film is to be shown: 1 + strength × its score; 1 for positives."""
        return (1 + strength * self.scores).numpy()
