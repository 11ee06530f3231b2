"""What a checkpoint says of the films it learnt from, measured on them."""

import math

import numpy as np
import pandas as pd
from tqdm import tqdm

from app.segmentation.checkpoint import Checkpoint
from app.segmentation.decision.checks import median_grey
from app.segmentation.decision.population import ADULT, Population
from app.segmentation.network.out_of_distribution import FeatureDistribution
from app.segmentation.network.preprocessing import preprocess
from app.segmentation.network.torch_engine import TorchEngine
from app.segmentation.reading.orientation import orientation_of, sampled
from training.data.films import PreparedFilms
from training.data.lineage import UNKNOWN
from training.data.other_pictures import pictures_of_other_things

OLDEST = 110
"""Ages from here are slips of the pen."""
USUAL_GREYS = 0.998
USUAL_TILTS = 0.997
DEVIATIONS = 3.09
"""Standard deviations on either side of the mean that hold 99.8 % of a normal distribution."""
ENOUGH_FILMS = 1000
"""Of fewer films the outermost thousandth is not seen, and what a normal distribution says of it counts too."""


def describe_population(
    films: PreparedFilms,
    rows: np.ndarray,
    source: str,
    turn_degrees: float | None = None,
    no_film_distance: float = math.inf,
) -> Population:
    """Measure films.

    Args:
        films: Prepared films.
        rows: Those that a model learnt from.
        source: Where they come from, as a sentence goes on after "films of".
        turn_degrees: By how much training turned them at most; None if unknown.
        no_film_distance: From `measure_no_film_distance`.
    """
    table = films.table.iloc[rows]
    ages = pd.to_numeric(table["age"], errors="coerce")
    ages = ages[ages.between(0, OLDEST, inclusive="left")].astype(int)
    greys, tilts = np.transpose([_grey_and_tilt(films.image(row)) for row in tqdm(rows, "population", unit="film")])
    low, high = _usual(greys, USUAL_GREYS)
    _, slant = _usual(np.concatenate([tilts, -tilts]), USUAL_TILTS)
    known = table["patient_id"][~table["patient_id"].str.startswith(UNKNOWN)]
    return Population(
        source=source,
        films=len(rows),
        patients=int(known.nunique()) or None,
        ages_known=len(ages),
        children=int((ages < ADULT).sum()),
        ages=(int(ages.min()), int(ages.max())) if len(ages) else None,
        side=films.images.shape[1],
        median_greys=(max(0.0, math.floor(100 * low) / 100), min(1.0, math.ceil(100 * high) / 100)),
        tilt_degrees=math.ceil(max(slant, turn_degrees or 0)),
        turn_degrees=turn_degrees,
        no_film_distance=no_film_distance,
    )


def _grey_and_tilt(image: np.ndarray) -> tuple[float, float]:
    return median_grey(sampled(image)), orientation_of(image).tilt_degrees


def _usual(values: np.ndarray, share: float) -> tuple[float, float]:
    """The range that holds a share of the values, all but as many at either end."""
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    if len(values) < ENOUGH_FILMS:
        mean, spread = values.mean(), DEVIATIONS * values.std()
        low, high = min(low, mean - spread), max(high, mean + spread)
    return float(low), float(high)


def measure_no_film_distance(
    checkpoint: Checkpoint, distribution: FeatureDistribution, mirror_size: int | None
) -> float:
    """Find where pictures begin that are none of a chest: halfway from the limit to the nearest of other things.

    Returns:
        A distance in limits of what is familiar, 1 or more.
    """
    engine = TorchEngine(checkpoint.model, mirror_size)
    batches = (preprocess(image, checkpoint.metadata.preprocessing) for image in pictures_of_other_things())
    nearest = min(distribution.in_limits(engine.run(batch).features) for batch in batches)
    return max(1.0, round((1 + nearest) / 2, 2))
