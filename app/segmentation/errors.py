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

The core raises; the web application alone decides what status and code a person is shown.
Messages say what was wrong, with the value, and what to do.
"""

import numpy as np


class PleuraError(Exception):
    """Base of every error raised on purpose by the core."""


class InvalidImageError(PleuraError):
    """The file is of a kind we read, but this one cannot be used.

    Attributes:
        picture: What the file shows, float32 (H, W) in [0, 1], where it could be decoded all the same; else None.
    """

    picture: np.ndarray | None = None


class EmptyFileError(InvalidImageError):
    """A file without a single byte."""


class TruncatedImageError(InvalidImageError):
    """The file ends early or its pixel data is damaged."""


class NoPixelDataError(InvalidImageError):
    """A DICOM object without an image in it."""


class MultiFrameError(InvalidImageError):
    """Several frames where one film is expected."""


class WrongModalityError(InvalidImageError):
    """Not a projection radiograph."""


class ImageTooSmallError(InvalidImageError):
    """Too few pixels to see a pleural line."""


class UnsupportedFormatError(PleuraError):
    """Not an image, or of a kind we do not read."""


class ImageTooLargeError(PleuraError):
    """More than the service is willing to decode."""


class FileTooLargeError(ImageTooLargeError):
    """Too many bytes."""


class TooManyPixelsError(ImageTooLargeError):
    """Too many pixels once decoded."""


class CheckpointError(PleuraError):
    """Weights that cannot be loaded."""
