"""Is this a usable frontal chest film? Reasons for when not to trust the answer.

What a film is compared with stands in the checkpoint (`Population`). The other limits were chosen on the training
films of the first releases, and flag hardly any of them. docs/reason-codes.md says what each check finds and misses.
A lateral film or another body part whose header is silent is noticed, if at all, by the network's features
(`out_of_distribution`), and by nothing here.
"""

import numpy as np

from app.segmentation.decision.doubts import Doubt, doubt
from app.segmentation.decision.header_checks import doubts_of_header
from app.segmentation.decision.population import Population
from app.segmentation.reading.orientation import CERTAIN, Orientation, sampled, without_frame
from app.segmentation.reading.radiograph import Radiograph

MAX_ASPECT_RATIO = 1.5
MIN_SPAN = 0.3
MAX_WHITE_SHARE = 0.05
MAX_BLACK_SHARE = 0.65  # a film in a wide black frame has up to 0.62
MAX_INVERTED = 0.5
MAX_TURNED = 0.7


def doubts_about(radiograph: Radiograph, learnt_from: Population) -> tuple[Doubt, ...]:
    """List the reasons to doubt an answer on this film; none is the usual case.

    Args:
        radiograph: The film.
        learnt_from: The films that the model learnt from.
    """
    return (
        *doubts_of_header(radiograph, learnt_from),
        *_doubts_of_format(radiograph, learnt_from.side),
        *_doubts_of_picture(radiograph, learnt_from),
    )


def _doubts_of_format(radiograph: Radiograph, learnt_side: int) -> list[Doubt]:
    doubts = []
    height, width = radiograph.image.shape
    if min(height, width) < learnt_side:
        message = (
            f"The film has {width} × {height} pixels, fewer than {learnt_side} a side; a thin pleural line may be lost."
        )
        doubts.append(doubt("low_resolution", message))
    ratio = max(height, width) / min(height, width)
    if ratio > MAX_ASPECT_RATIO:
        message = (
            f"The film is {width} × {height} pixels, {ratio:.1f} times as long as wide where a chest film is at most "
            f"{MAX_ASPECT_RATIO} times; it may be cut or not frontal."
        )
        doubts.append(doubt("unusual_aspect_ratio", message))
    if radiograph.is_colour:
        doubts.append(doubt("colour_image", "The picture is coloured, like a photograph or a screenshot."))
    return doubts


def _doubts_of_picture(radiograph: Radiograph, learnt_from: Population) -> list[Doubt]:
    sample = sampled(radiograph.image)
    darkest, brightest = np.percentile(sample, [1, 99])
    if brightest - darkest < MIN_SPAN:
        message = (
            f"The film has hardly any contrast: its greys span {_percent(brightest - darkest)} of the range "
            f"from black to white, at least {_percent(MIN_SPAN)} is usual."
        )
        exposure = [doubt("low_contrast", message)]
    else:
        exposure = _doubts_of_exposure(sample, learnt_from.median_greys)
    return [*exposure, *_doubts_of_orientation(radiograph.orientation, radiograph.was_inverted, learnt_from)]


def _doubts_of_exposure(sample: np.ndarray, median_greys: tuple[float, float]) -> list[Doubt]:
    white, black = float((sample >= 254 / 255).mean()), float((sample <= 1 / 255).mean())
    if white > MAX_WHITE_SHARE or black > MAX_BLACK_SHARE:
        message = (
            f"{_percent(white)} of the film is pure white and {_percent(black)} pure black, at most "
            f"{_percent(MAX_WHITE_SHARE)} and {_percent(MAX_BLACK_SHARE)} are usual; details may have been cut off "
            "there."
        )
        return [doubt("clipped", message)]
    position, (low, high) = median_grey(sample), median_greys
    if not low <= position <= high:
        message = (
            f"The film is unusually {'dark' if position < low else 'bright'} for its contrast: its median grey lies at "
            f"{_percent(position)} of its range, those of the training films between {_percent(low)} and "
            f"{_percent(high)}."
        )
        return [doubt("unusual_exposure", message)]
    return []


def median_grey(sample: np.ndarray) -> float:
    """Say where the median grey of a sampled film lies from its 1st (0) to its 99th percentile (1), without a frame."""
    darkest, median, brightest = np.percentile(without_frame(sample), [1, 50, 99])
    return float((median - darkest) / max(brightest - darkest, 1 / 255))


def _doubts_of_orientation(lies: Orientation, was_inverted: bool, learnt_from: Population) -> list[Doubt]:
    doubts = []
    if was_inverted:
        message = (
            f"The file shows the film inverted, with dark bone and bright lungs (certainty {_certainty(lies.upright)}, "
            f"{_percent(CERTAIN)} is the limit); it was inverted back before anything else."
        )
        doubts.append(doubt("inverted_corrected", message))
    inverted = 1 - lies.upright - lies.turned
    tilt = abs(lies.tilt_degrees)
    if lies.turned > MAX_TURNED:
        message = (
            f"The film looks as if it lay on its side or upside down (certainty {_certainty(lies.turned)}, "
            f"{_percent(MAX_TURNED)} is the limit); sides may be named wrongly."
        )
        doubts.append(doubt("turned", message))
    elif (
        tilt > learnt_from.tilt_degrees
    ):  # before inversion: what lies at 40° resembles neither an upright film nor a negative
        message = (
            f"The body seems to lie at a slant of about {tilt:.0f}°, more than {learnt_from.tilt_degrees}°; "
            f"{_turned(learnt_from.turn_degrees)}."
        )
        doubts.append(doubt("tilted", message))
    elif inverted > MAX_INVERTED:
        message = (
            f"The film looks inverted, with dark bone and bright lungs (certainty {_certainty(inverted)}, "
            f"{_percent(MAX_INVERTED)} is the limit)."
        )
        doubts.append(doubt("inverted_suspected", message))
    return doubts


def _turned(degrees: float | None) -> str:
    return (
        "hardly any training film does"
        if degrees is None
        else f"the training films were turned by at most {degrees:g}°"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _certainty(certainty: float) -> str:
    """Never print one as full."""
    return _percent(min(certainty, 0.99))
