"""Our greys against DCMTK's: a sample of the variants that `python -m tests.differential` compares."""

import pytest

from tests.differential import differing
from tests.support.dcmtk import RENDERERS
from tests.support.dicom_variants import colour_variants, grey_variants
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
