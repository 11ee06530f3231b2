"""The films that a model learnt from, as far as another film can be compared with them."""

from dataclasses import dataclass

ADULT = 18
"""Years of age from which a patient is none of a child's anatomy."""
FEW = 0.2
"""Share of the training films below which children are too few for a model to be trusted with a child."""


@dataclass(frozen=True)
class Population:
    """What a checkpoint says of the films it learnt from; measured on them by `training release`.

    Attributes:
        source: Where they come from, as a sentence goes on after "films of": "one hospital".
        films: How many there are.
        patients: How many patients they are of; None if unknown.
        ages_known: How many are of a patient whose age is known.
        children: How many of these are of people under 18.
        ages: Age of the youngest and of the oldest, in whole years; None where no age is known.
        side: Rows and columns, in pixels, that they were stored in for training.
        median_greys: Where the median grey of 99.8 % of them lies, between their darkest hundredth (0) and their
            brightest (1).
        tilt_degrees: Slant of the body that 99.7 % of them stay below, as `reading.orientation` estimates it; at least
            `turn_degrees`.
        turn_degrees: By how much training turned them at most; None if unknown.
        no_film_distance: Distance in the network's feature space, in limits of what is familiar, beyond which a picture
            is taken for none of a chest: no answer to it stands.
    """

    source: str
    films: int
    patients: int | None
    ages_known: int
    children: int
    ages: tuple[int, int] | None
    side: int
    median_greys: tuple[float, float]
    tilt_degrees: int
    turn_degrees: float | None
    no_film_distance: float

    @property
    def has_learnt_from_children(self) -> bool:
        """Whether enough of the films are known to be of children."""
        return self.children > FEW * self.ages_known


FIRST_RELEASES = Population(
    source="one hospital",
    films=5406,
    patients=None,
    ages_known=2325,
    children=173,
    ages=(1, 87),
    side=512,
    median_greys=(0.28, 0.88),
    tilt_degrees=18,
    turn_degrees=10,
    no_film_distance=1.25,
)
"""What holds of a released checkpoint that says nothing of its films: all those of before 2026-11-27 were trained on
these, of the NIH Clinical Center (Wang et al., "ChestX-ray8", CVPR 2017; masks of SIIM-ACR, 2019).

`no_film_distance`: with the model of 2026-11-24, whose limit of what is familiar is 26.5, the nearest of 35 pictures of
other things lies at 40; with the one before, a bedside training film with a pneumothorax lay at 27."""
