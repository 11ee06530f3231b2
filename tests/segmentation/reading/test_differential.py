"""Our greys against DCMTK's: a sample of the variants that `python -m tests.differential` compares."""

import numpy as np
import pytest

from app.segmentation.reading.dicom_io import read_dicom
from tests.differential import differing
from tests.support.dcmtk import RENDERERS, encoded, rendered
from tests.support.dicom_variants import colour_variants, film, grey_variants
from tests.support.film_files import to_dicom
from tests.support.needs import command

EVERY = 23
"""Coprime to the numbers of syntaxes, depths, signs and ways to show, so that each meets each."""


@pytest.mark.parametrize(("kind", "every"), [(grey_variants, EVERY), (colour_variants, 1)])
def test_greys_are_those_of_an_independent_reader(kind, every):
    for name in RENDERERS.values():
        command(name, "dcmtk")
    count, lines = differing(list(kind())[::every])
    assert count > 20
    assert not lines


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("compression", "program", "options"),
    [
        *(("JPEG", "dcmcjpeg", ("+el", "+sv", str(predictor))) for predictor in range(1, 8)),
        *(("JPEG", "dcmcjpeg", ("+el", "+sv", "1", "+pt", str(lost))) for lost in (1, 3)),
        ("JPEG", "dcmcjpeg", ("+e1", "+fs", "1")),
        ("JPEG", "dcmcjpeg", ("+e1", "-ot")),
        ("JPEG-LS", "dcmcjpls", ()),
        ("native", "dcmcrle", ("+fs", "2")),
    ],
)
def test_codestreams_of_other_encoders_are_read_alike(bits, signed, compression, program, options):
    """By predictor and point transform of lossless JPEG, in fragments, without offset table."""
    data = encoded(to_dicom(film(), bits_stored=bits, signed=signed), command(program, "dcmtk"), *options)
    command(RENDERERS[compression], "dcmtk")
    theirs = rendered(data, compression=compression)
    assert np.abs(read_dicom(data).image - theirs).max() < 1.01 / 255
