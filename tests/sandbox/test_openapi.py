"""The sandbox against an OpenAPI specification of the documented API: each response fits, none is a 5xx."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dagster_dailystory.sandbox import Sandbox

SPECIFICATION = schemathesis.openapi.from_path(Path(__file__).with_name("dailystory-openapi.yaml"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        running.add(email="ada@example.com", extendedProperties={"plan": "pro"})
        yield running


@SPECIFICATION.parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_every_response_matches_the_specification(case, sandbox):
    response = case.call(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {sandbox.token}"})
    case.validate_response(response, checks=CHECKS)


@pytest.mark.parametrize("about_shape", ["2019", "2025"])
def test_responses_to_valid_requests_match_the_specification(sandbox, about_shape):
    sandbox.configure(about_shape=about_shape)
    dsid = sandbox.add(email="grace@example.com", dateBirth="1906-12-09", extendedProperties={"plan": "pro"})
    by_dsid, by_email = {"path_parameters": {"dsid": dsid}}, {"query": {"email": "grace@example.com"}}
    requests = [
        ("/about", "GET", {}),
        ("/contact", "POST", {"body": {"dsId": dsid, "city": "New York"}, "media_type": "application/json"}),
        ("/contact", "GET", by_email),
        ("/contact/{dsid}", "GET", by_dsid),
        ("/contact/upsert", "POST", by_email),
        ("/segment/{id}/members", "GET", {"path_parameters": {"id": 1}}),
        ("/_unverified/contact/{dsid}/custom-fields", "GET", by_dsid),
        ("/contact/{dsid}", "DELETE", by_dsid),
    ]
    for path, method, sent in requests:
        case = SPECIFICATION[path][method].Case(**sent)
        response = case.call(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {sandbox.token}"})
        case.validate_response(response, checks=CHECKS)
        assert (response.status_code, response.json()["Status"]) == (200, True)


def test_every_operation_responds_with_401_to_a_bad_token(sandbox):
    for result in SPECIFICATION.get_all_operations():
        operation = result.ok()
        url = sandbox.base_url + operation.path.replace("{dsid}", "unknown").replace("{id}", "1")
        response = httpx.request(operation.method, url, headers={"Authorization": "Bearer nope"})
        assert (response.status_code, response.json()["Status"]) == (401, False)
