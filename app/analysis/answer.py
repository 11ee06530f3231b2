"""A prediction as the JSON object that the API sends, the page renders and a study keeps."""

import base64

import cv2
import numpy as np

from app.segmentation.decision.calibration import Finding
from app.segmentation.decision.doubts import withheld_for
from app.segmentation.predictor import Prediction, Predictor
from app.segmentation.reading.radiograph import Radiograph

NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."


def to_answer(radiograph: Radiograph, prediction: Prediction, predictor: Predictor, answer_id: str) -> dict:
    """Describe a prediction in plain JSON types.

    Args:
        radiograph: The film.
        prediction: The answer to one film.
        predictor: The model that gave it.
        answer_id: Unguessable name of this answer.

    Returns:
        The body of `POST /api/v1/predictions`, as `/api/v1/openapi.json` describes it.
    """
    height, width = prediction.mask.shape
    spacing_mm = radiograph.credible_spacing_mm
    return {
        "id": answer_id,
        "film": {
            "format": radiograph.source_format,
            "width": width,
            "height": height,
            "pixel_spacing_mm": None if spacing_mm is None else list(spacing_mm),
            "image_left": str(radiograph.image_left),
            "states_side": radiograph.states_side,
        },
        "finding": str(prediction.finding),
        "probability": round(prediction.probability, 4),
        "regions": [
            {
                "laterality": str(region.laterality),
                "bbox": list(region.bbox),
                "area_fraction": round(region.area_fraction, 6),
                "area_mm2": None if region.area_mm2 is None else round(region.area_mm2, 1),
                "probability": round(region.probability, 4),
            }
            for region in prediction.regions
        ],
        "mask": encode_mask(prediction.mask),
        "quality": [vars(flag) for flag in prediction.quality],
        "withheld_for": withheld_for(prediction.quality, prediction.finding is Finding.POSITIVE),
        "model": {
            "name": predictor.metadata.name,
            "sha256": predictor.sha256,
            "operating_point": vars(predictor.decision.operating_point),
        },
        "timing_ms": {stage: round(duration, 1) for stage, duration in prediction.timing_ms.items()},
        "notice": NOTICE,
    }


def encode_mask(mask: np.ndarray) -> dict:
    """Describe a mask, bool (H, W), in plain JSON types: "width", "height", "encoding" and "data"."""
    height, width = mask.shape
    data = base64.b64encode(mask_png(mask)).decode("ascii")
    return {"width": width, "height": height, "encoding": "png;base64", "data": data}


def mask_png(mask: np.ndarray) -> bytes:
    """Encode a mask, bool (H, W), as a greyscale PNG of 0 and 255."""
    _, encoded = cv2.imencode(".png", mask.astype(np.uint8) * 255)
    return encoded.tobytes()
