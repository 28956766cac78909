"""The document that describes the door."""

import json

from openapi_spec_validator import validate

from rserver.remote.openapi import document
from rserver.remote.routes import ROUTES


def test_it_is_an_openapi_document_of_every_address() -> None:
    made = json.loads(json.dumps(document("http://h:12800/")))
    validate(made)
    operations = {entry["operationId"] for path in made["paths"].values() for entry in path.values()}
    assert operations == {route.operation for route in ROUTES}
    assert made["paths"]["/login"]["post"]["security"] == []
    assert "accessToken" not in json.dumps(made)
    assert "inputParameters" in json.dumps(made)
