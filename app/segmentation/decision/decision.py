"""Evidence, a film's geometry and the doubts about it -> the answer. Whoever answers films decides here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from app.segmentation.decision.calibration import Calibration, Finding, OperatingPoint
from app.segmentation.decision.doubts import Doubt, withheld_for
from app.segmentation.decision.postprocessing import PostprocessingConfig, Region, segment
from app.segmentation.network.engine import Evidence
from app.segmentation.network.preprocessing import check_side, restore
from app.segmentation.reading.geometry import FilmGeometry


@dataclass(frozen=True)
class Prediction:
    """The answer to one film.

    Attributes:
        finding: Positive, negative or indeterminate, at the checkpoint's operating point;
            indeterminate, and nothing marked, where the answer is withheld.
        probability: Calibrated probability of a pneumothorax.
        probability_map: float32 (H, W) in [0, 1], in the film's own geometry.
        evidence: What the network said, in its own geometry.
        mask: bool (H, W); empty unless something is marked.
        regions: Marked regions, largest first.
        doubts: Reasons to doubt the answer.
        withheld_for: Code of the doubt for which the answer is withheld, or None where it stands.
        distance: How far the film lies from the training films, in limits of what is familiar; None where nobody knows.
        timing_ms: Milliseconds spent in "preprocessing", "inference", "postprocessing" and "total", once served.
    """

    finding: Finding
    probability: float
    probability_map: np.ndarray
    evidence: Evidence
    mask: np.ndarray
    regions: tuple[Region, ...]
    doubts: tuple[Doubt, ...] = ()
    withheld_for: str | None = None
    distance: float | None = None
    timing_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """How evidence becomes an answer; chosen on the validation split.

    Attributes:
        mirror_size: Side of the square, in pixels, at which a film's mirror image is answered, too, and averaged with
            it; None: the film alone.
        postprocessing: What counts as marked.
        calibration: What makes a probability of the network's logits.
        operating_point: What makes a finding of a probability.
        of_views: Operating points of views, by the header's View Position, that take its place where a site chose one
            for each ("AP", "PA").
    """

    mirror_size: int | None
    postprocessing: PostprocessingConfig
    calibration: Calibration
    operating_point: OperatingPoint
    of_views: Mapping[str, OperatingPoint] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.mirror_size is not None:
            check_side(self.mirror_size, "mirror_size")

    def of_view(self, view_position: str) -> "Decision":
        """Return what decides on films of a view, as their header names it: this, unless the view has its own point.

        Nothing is marked on a film that is called negative, by its own view's point either.
        """
        point = self.of_views.get(view_position)
        if point is None:
            return self
        gate = max(self.postprocessing.min_film_probability, point.indeterminate_low)
        marks = replace(self.postprocessing, min_film_probability=gate)
        return replace(self, operating_point=point, postprocessing=marks, of_views={})

    def decide(
        self,
        evidence: Evidence,
        geometry: FilmGeometry,
        doubts: Iterable[Doubt] = (),
        *,
        may_be_a_film: bool = True,
    ) -> Prediction:
        """Answer one film.

        Args:
            evidence: What the network says of it.
            geometry: The film's.
            doubts: About the film; some withhold the answer (`doubts.withheld_for`).
            may_be_a_film: Whether it may be a chest film at all: else no doubt lets even a positive answer stand.
        """
        doubts = tuple(doubts)
        probability = self.calibration.probability(evidence.image_logit, evidence.map_logit)
        probability_map = restore(evidence.probability_map, geometry.shape)
        finding = self.operating_point.finding(probability)
        withheld = withheld_for(doubts, finding is Finding.POSITIVE and may_be_a_film)
        if withheld is None:
            mask, regions = segment(probability_map, probability, geometry, self.postprocessing)
        else:
            finding = Finding.INDETERMINATE
            mask, regions = np.zeros(geometry.shape, dtype=bool), ()
        return Prediction(finding, probability, probability_map, evidence, mask, regions, doubts, withheld)
