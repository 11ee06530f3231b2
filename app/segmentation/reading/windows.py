"""Windows of DICOM objects (PS3.3 C.11.2.1.2, C.11.2.1.3)."""

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from app.segmentation.reading.dicom_values import code, numbers

NARROWEST = {"LINEAR": 1.0, "LINEAR_EXACT": 0.0, "SIGMOID": 0.0}
"""Width that a window of each function must have, or exceed where it is 0."""


@dataclass(frozen=True)
class Window:
    """A window, with the function that it stands for."""

    center: float
    width: float
    function: str

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Bring values to [0, 1], black to white."""
        distances = values - self.center
        if self.function == "SIGMOID":
            with np.errstate(over="ignore"):  # its far ends
                return 1 / (1 + np.exp(-4 * distances / self.width))
        if self.function == "LINEAR_EXACT":
            return np.clip(distances / self.width + 0.5, 0, 1)
        if self.width == 1:
            return (distances > -0.5).astype(np.float64)
        return np.clip((distances + 0.5) / (self.width - 1) + 0.5, 0, 1)


def read_windows(header: Dataset) -> list[Window]:
    """Every window that the standard allows, in order; without a function it is LINEAR.

    One without a centre, or of too small a width, is left out, as viewers do; so is every one of an unknown function.
    """
    said = "".join(filter(str.isalnum, code(header, "VOILUTFunction"))) or "LINEAR"
    function = next((name for name in NARROWEST if name.replace("_", "") == said), None)
    if function is None:
        return []
    narrowest = NARROWEST[function]
    return [
        Window(center, width, function)
        for center, width in zip(numbers(header, "WindowCenter"), numbers(header, "WindowWidth"), strict=False)
        if center is not None and width is not None and (width >= narrowest if narrowest else width > 0)
    ]
