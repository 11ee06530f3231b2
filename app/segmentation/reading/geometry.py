"""What is measured on a film, and which side of the patient it shows where: all that a decision needs of one."""

from dataclasses import dataclass
from enum import StrEnum

NARROWEST_CHEST_MM = 200
"""A film stated to be narrower than this was shrunk, and its pixel spacing was not."""
WIDEST_FILM_MM = 500
"""The largest detectors and films for a chest measure 43 cm; one stated to be longer than this is none."""


class Laterality(StrEnum):
    """A side of the patient, not of the picture."""

    RIGHT = "right"
    LEFT = "left"


@dataclass(frozen=True)
class FilmGeometry:
    """A film without its grey levels.

    Attributes:
        shape: (H, W), in pixels.
        pixel_spacing_mm: (row, column) distance of pixel centres on the detector, or None if unknown.
        image_left: The patient's side shown at the picture's left edge.
    """

    shape: tuple[int, int]
    pixel_spacing_mm: tuple[float, float] | None = None
    image_left: Laterality = Laterality.RIGHT

    @property
    def size_mm(self) -> tuple[float, float] | None:
        """(Height, width) by the stated pixel spacing, or None if it is unknown."""
        if self.pixel_spacing_mm is None:
            return None
        (height, width), (row, column) = self.shape, self.pixel_spacing_mm
        return height * row, width * column

    @property
    def credible_spacing_mm(self) -> tuple[float, float] | None:
        """`pixel_spacing_mm`, or None if the film does not say or says what cannot be."""
        if self.size_mm is None or min(self.size_mm) < NARROWEST_CHEST_MM or max(self.size_mm) > WIDEST_FILM_MM:
            return None
        return self.pixel_spacing_mm

    @property
    def pixel_area_mm2(self) -> float | None:
        """Area of a pixel on the detector, or None where there is no credible spacing."""
        if self.credible_spacing_mm is None:
            return None
        row, column = self.credible_spacing_mm
        return row * column

    def laterality_at(self, x: float) -> Laterality:
        """Return the patient's side at a column of the picture."""
        on_left_half = x < self.shape[1] / 2
        other = Laterality.LEFT if self.image_left is Laterality.RIGHT else Laterality.RIGHT
        return self.image_left if on_left_half else other
