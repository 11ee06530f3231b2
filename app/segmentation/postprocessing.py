"""Probability map -> mask and regions, in the film's own geometry."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PostprocessingConfig:
    """What counts as marked; chosen on the validation split.

    Attributes:
        mask_threshold: Pixels at or above this probability are marked.
        min_area_fraction: Connected regions smaller than this share of the film are dropped.
        min_film_probability: Nothing is marked on a film whose calibrated probability is below it.
    """

    mask_threshold: float
    min_area_fraction: float
    min_film_probability: float
