"""What the OpenAPI document promises, tried by schemathesis on a real service: good requests and bad ones."""

import pytest

pytest.importorskip("fastapi", reason="the service needs the extra `serve`")
pytest.importorskip("schemathesis", reason="needs the extra `extension`")
pytest.importorskip("hypothesis", reason="needs the extra `dev`")

import hypothesis
import schemathesis

from reco_utils.serve import server
from reco_utils.serve.api import create_app
from reco_utils.serve.artifact import publish, save
from reco_utils.serve.settings import Settings

KEY = "a-key-for-the-tests"
TRAINED = 1_750_000_000.0  # when the training of `light` began
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
EXAMPLES = 8  # of each operation, good and bad ones each
DOCUMENT = create_app(None, Settings()).openapi()
OPERATIONS = {o["operationId"]: o for methods in DOCUMENT["paths"].values() for o in methods.values()}


@pytest.fixture(scope="module")
def promised(light, tmp_path_factory):
    """A function that tries an operation of a real service that nobody else talks to."""
    folder = tmp_path_factory.mktemp("promised")
    publish(folder, save(light, folder))
    settings = Settings(home=folder, admin_key=KEY, rate=0, log="none", deadline_ms=60_000)
    engine = server.build(settings, clock=lambda: TRAINED + 3600)
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(engine, settings))
    operations = {each.ok().definition.raw["operationId"]: each.ok() for each in schema.get_all_operations()}
    fits = schemathesis.checks.CHECKS.get_by_names(CHECKS)
    options = {"max_examples": EXAMPLES, "derandomize": True, "deadline": None, "database": None}
    options |= {"phases": [hypothesis.Phase.generate], "suppress_health_check": list(hypothesis.HealthCheck)}

    def keeps(name, mode):
        cases = operations[name].as_strategy(schemathesis.GenerationMode[mode])

        @hypothesis.settings(**options)
        @hypothesis.given(case=cases)
        def sound(case):
            case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, checks=fits)

        sound()

    yield keeps
    server.close(engine)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_service_keeps_what_its_document_promises(name, promised):
    promised(name, "POSITIVE")


@pytest.mark.parametrize(
    "name", [name for name, each in OPERATIONS.items() if {"parameters", "requestBody"} & set(each)]
)
def test_what_the_document_forbids_is_refused_without_a_failure(name, promised):
    promised(name, "NEGATIVE")
