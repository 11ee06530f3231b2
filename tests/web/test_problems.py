"""Every failure has a status, a code and a sentence."""

import pytest
from werkzeug.exceptions import NotFound, RequestEntityTooLarge, UnsupportedMediaType

import app.studies.store  # noqa: F401 - defines a failure of its own
from app.segmentation.errors import PleuraError, TooManyPixelsError
from app.web.problems import HTTP_PROBLEMS, PROBLEMS, problem_of


def subclasses(kind: type) -> set[type]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(subclasses(PleuraError) - {PleuraError}, key=lambda kind: kind.__name__))
def test_every_error_of_the_core_is_mapped(kind):
    problem, detail = problem_of(kind("The film has 3 legs; 2 is the limit."))
    assert 400 <= problem.status < 600
    assert problem.code == problem.code.lower().replace(" ", "_")
    assert detail == "The film has 3 legs; 2 is the limit."


def test_codes_name_one_problem_each():
    problems = list(PROBLEMS.values())
    assert len({problem.code for problem in problems}) == len(problems)


def test_http_problems_have_their_exceptions_status():
    for kind, (problem, sentence) in HTTP_PROBLEMS.items():
        assert problem.status == kind.code
        assert sentence.endswith(".")


def test_too_large_is_one_code_whoever_notices():
    assert problem_of(RequestEntityTooLarge())[0].code == "file_too_large"
    assert problem_of(TooManyPixelsError("…"))[0].status == 413


def test_other_http_errors_speak_for_themselves():
    problem, detail = problem_of(UnsupportedMediaType())
    assert (problem.status, problem.code) == (415, "unsupported_media_type")
    assert detail
    assert problem_of(NotFound())[0].code == "not_found"


def test_a_long_value_is_not_repeated():
    _, detail = problem_of(TooManyPixelsError("x" * 10**6))
    assert len(detail) == 500
    assert detail.endswith("…")
