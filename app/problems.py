"""What went wrong, for a person and for a program: status, reason code, sentence.

Pages and API answer from this one table (RFC 9457 calls such an answer a problem document).
"""

from dataclasses import dataclass

from app.segmentation import errors


@dataclass(frozen=True)
class Problem:
    """One kind of failure.

    Attributes:
        status: HTTP status.
        code: Stable reason code, lower_snake_case.
        title: What is wrong, in a few words.
    """

    status: int
    code: str
    title: str


PROBLEMS: dict[type[errors.PleuraError], Problem] = {
    errors.InvalidImageError: Problem(400, "invalid_image", "This film cannot be used"),
    errors.TruncatedImageError: Problem(400, "truncated_image", "The file is damaged or incomplete"),
    errors.NoPixelDataError: Problem(400, "no_pixel_data", "The DICOM file holds no image"),
    errors.MultiFrameError: Problem(400, "multi_frame", "The file holds several images"),
    errors.WrongModalityError: Problem(400, "wrong_modality", "This is not a radiograph"),
    errors.ImageTooSmallError: Problem(400, "image_too_small", "The image is too small"),
    errors.UnsupportedFormatError: Problem(415, "unsupported_format", "This kind of file cannot be read"),
    errors.ImageTooLargeError: Problem(413, "image_too_large", "The image is too large"),
    errors.FileTooLargeError: Problem(413, "file_too_large", "The file is too large"),
    errors.TooManyPixelsError: Problem(413, "too_many_pixels", "The image has too many pixels"),
    errors.CheckpointError: Problem(503, "model_unavailable", "The model could not be loaded"),
}


def problem_of(error: errors.PleuraError) -> Problem:
    """Look up what an error of the core means to a person."""
    return PROBLEMS[type(error)]
