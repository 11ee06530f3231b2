"""The API keeps to its own description, whatever is sent: Schemathesis makes requests of it."""

import json
import threading

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from werkzeug.serving import make_server

from app import create_app
from app.config import ROOT
from app.segmentation.decision.doubts import NO_REASSURANCE

DESCRIPTION = json.loads((ROOT / "app" / "web" / "openapi.json").read_text())


schema = schemathesis.openapi.from_dict(DESCRIPTION)


@pytest.fixture(scope="module")
def served(checkpoint_path, tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('api') / 'studies.sqlite'}"
    app = create_app({"WEIGHTS": str(checkpoint_path), "DATABASE_URL": url, "API": "open", "RATE_LIMIT": ""})
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case, served):
    checks = [content_type_conformance, response_schema_conformance]
    if case.path != "/readyz":  # without a canary it is not ready, and says so with a 503
        checks.append(not_a_server_error)
    case.call_and_validate(base_url=served, checks=checks)


def test_every_doubt_that_withholds_an_answer_is_told():
    told = DESCRIPTION["components"]["schemas"]["Prediction"]["properties"]["withheld_for"]["description"]
    assert [code for code in NO_REASSURANCE if f"`{code}`" not in told] == []
