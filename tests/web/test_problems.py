"""Every failure has a status, a code and a sentence."""

import pytest
from werkzeug.exceptions import (
    BadRequestKeyError,
    Conflict,
    NotFound,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    default_exceptions,
)

import app.studies.store  # noqa: F401 - defines a failure of its own
from app.analysis.language import speaking
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


@pytest.mark.parametrize("kind", default_exceptions.values(), ids=lambda kind: kind.__name__)
def test_every_status_is_told_in_the_reader_s_language(kind):
    english, sentence = problem_of(kind())
    with speaking("de"):
        german, satz = problem_of(kind())
    assert (german.status, german.code) == (english.status, english.code) and english.status == kind.code
    assert german.title != english.title and satz != sentence


def test_a_failure_may_bring_its_own_sentence_and_werkzeug_s_is_not_repeated():
    said = "You have drawn another mask of this film. Discard it before you judge the model's."
    with speaking("de"):
        assert "Verwerfen" in problem_of(Conflict(said))[1]
    assert problem_of(BadRequestKeyError("films"))[0].code == "bad_request"
    assert "KeyError" not in problem_of(BadRequestKeyError("films"))[1]


def test_headers_that_belong_to_a_failure_come_with_it(client):
    assert "POST" in client.get("/studies").headers["Allow"]
    part = client.get("/static/logo.svg", headers={"Range": "bytes=999999-"})
    assert (part.status_code, part.headers["Content-Range"][:8]) == (416, "bytes */")
    aside = client.post("/api/v1//predictions")
    assert (aside.status_code, aside.location) == (308, "http://localhost/api/v1/predictions")


def test_a_long_value_is_not_repeated():
    _, detail = problem_of(TooManyPixelsError("x" * 10**6))
    assert len(detail) == 500
    assert detail.endswith("…")
