"""A second head that names what the report names: it learns beside the network, and is left behind.

Emphysema, an effusion or an infiltrate are what a pneumothorax is taken for. Features that tell them apart may tell a
pneumothorax better, with no positive patient more. Findings are the film's, also where a window shows a part of it.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch

FINDINGS = (
    *("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis", "Infiltration"),
    *("Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax"),
)
"""As NIH ChestX-ray14 names them, but for hernias, which are too few to learn."""


def finding_targets(table: pd.DataFrame) -> torch.Tensor:
    """Tell what each film's report names.

    Args:
        table: A prepared folder's films.

    Returns:
        float32 (films, findings) in {0, 1}; NaN where no report is known.
    """
    named = table["findings"].str.split("|").apply(lambda words: [float(finding in words) for finding in FINDINGS])
    targets = np.array(named.tolist(), dtype=np.float32).reshape(len(table), len(FINDINGS))
    targets[(table["findings"] == "").to_numpy()] = np.nan
    return torch.from_numpy(targets)


def findings_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Compare logits (N, findings) with targets, of films whose report is known; 0 where none is."""
    known = torch.isfinite(targets)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


class WithFindings(torch.nn.Module):
    """A network with a head for findings beside its own two.

    Attributes:
        network: The network alone, which is what validation and the checkpoint get.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network: Any = network
        self.head = torch.nn.Linear(network.encoder.out_channels[-1], len(FINDINGS))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return mask logits (N, 1, S, S), image logits (N, 1) and finding logits (N, findings) of a batch."""
        features = self.network.encoder(image)
        mask_logits = self.network.segmentation_head(self.network.decoder(features))
        pooled = features[-1].mean(dim=(2, 3))
        return mask_logits, self.network.classification_head(features[-1]), self.head(pooled)
