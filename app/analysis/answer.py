"""A prediction of the core as the answer that a study keeps."""

from dataclasses import replace

from app.segmentation.decision.postprocessing import Region
from app.segmentation.predictor import Prediction, Predictor
from app.segmentation.reading.radiograph import Radiograph
from app.studies.answer import Answer, Film, Model
from app.studies.drawing import MaskPicture


def to_answer(radiograph: Radiograph, prediction: Prediction, predictor: Predictor, answer_id: str) -> Answer:
    """Put an answer together, its figures rounded to what they are good for.

    Args:
        radiograph: The film.
        prediction: The answer to one film.
        predictor: The model that gave it.
        answer_id: Unguessable name of this answer.
    """
    height, width = prediction.mask.shape
    return Answer(
        id=answer_id,
        film=Film(
            format=radiograph.source_format,
            width=width,
            height=height,
            pixel_spacing_mm=radiograph.geometry.credible_spacing_mm,
            image_left=radiograph.image_left,
            states_side=radiograph.states_side,
        ),
        finding=prediction.finding,
        probability=round(prediction.probability, 4),
        regions=tuple(_rounded(region) for region in prediction.regions),
        mask=MaskPicture.of(prediction.mask),
        doubts=prediction.doubts,
        withheld_for=prediction.withheld_for,
        model=_model_of(predictor, radiograph.view_position),
        timing_ms={stage: round(duration, 1) for stage, duration in prediction.timing_ms.items()},
    )


def _model_of(predictor: Predictor, view_position: str) -> Model:
    point = predictor.decision.of_view(view_position).operating_point
    engine, source = predictor.engine.description, predictor.population.source
    return Model(predictor.metadata.name, predictor.sha256, engine, point, source)


def _rounded(region: Region) -> Region:
    return replace(
        region,
        area_fraction=round(region.area_fraction, 6),
        area_mm2=None if region.area_mm2 is None else round(region.area_mm2, 1),
        probability=round(region.probability, 4),
    )
