"""Everything the core refuses, one class per reason.

    PleuraError
    ├── InvalidImageError             the file is of a kind we read, but this one cannot be used
    │   ├── EmptyFileError            a file without a single byte
    │   ├── TruncatedImageError       the file ends early or its pixel data is damaged
    │   ├── NoPixelDataError          a DICOM object without an image in it
    │   ├── MultiFrameError           several frames where one film is expected
    │   ├── WrongModalityError        CT, MR, ultrasound …: not a projection radiograph
    │   └── ImageTooSmallError        too few pixels to see a pleural line
    ├── UnsupportedFormatError        not an image, or of a kind we do not read
    ├── ImageTooLargeError
    │   ├── FileTooLargeError         too many bytes
    │   └── TooManyPixelsError        too many pixels once decoded (checked before decoding)
    └── CheckpointError               weights that cannot be loaded; stops start-up

The core raises, with a code for programs; the web application alone decides with what status, and under which title.
Messages say what was wrong, with the value, and what to do.
"""

from typing import ClassVar

import numpy as np


class PleuraError(Exception):
    """Base of every error raised on purpose by the core.

    Attributes:
        code: Stable reason code, lower_snake_case: what a program gets, from whoever answers.
    """

    code: ClassVar[str]


class InvalidImageError(PleuraError):
    """The file is of a kind we read, but this one cannot be used.

    Attributes:
        picture: What the file shows, float32 (H, W) in [0, 1], where it could be decoded all the same; else None.
    """

    code = "invalid_image"
    picture: np.ndarray | None = None


class EmptyFileError(InvalidImageError):
    """A file without a single byte."""

    code = "empty_file"


class TruncatedImageError(InvalidImageError):
    """The file ends early or its pixel data is damaged."""

    code = "truncated_image"


class NoPixelDataError(InvalidImageError):
    """A DICOM object without an image in it."""

    code = "no_pixel_data"


class MultiFrameError(InvalidImageError):
    """Several frames where one film is expected."""

    code = "multi_frame"


class WrongModalityError(InvalidImageError):
    """Not a projection radiograph."""

    code = "wrong_modality"


class ImageTooSmallError(InvalidImageError):
    """Too few pixels to see a pleural line."""

    code = "image_too_small"


class UnsupportedFormatError(PleuraError):
    """Not an image, or of a kind we do not read."""

    code = "unsupported_format"


class ImageTooLargeError(PleuraError):
    """More than the service is willing to decode."""

    code = "image_too_large"


class FileTooLargeError(ImageTooLargeError):
    """Too many bytes."""

    code = "file_too_large"


class TooManyPixelsError(ImageTooLargeError):
    """Too many pixels once decoded."""

    code = "too_many_pixels"


class CheckpointError(PleuraError):
    """Weights that cannot be loaded."""

    code = "model_unavailable"
