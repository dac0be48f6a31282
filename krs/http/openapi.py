"""The API's description, made from the table of endpoints and the structs that are its bodies."""

import re
from functools import cache
from typing import Any

import msgspec

import krs
from krs.core.views import ErrorBody
from krs.http.routes import BASE, ENDPOINTS, Endpoint

TEXTS = {
    200: "Done.",
    304: "Nothing changed.",
    400: "The body is not JSON.",
    401: "A valid bearer token is needed.",
    403: "This token may only look.",
    404: "There is no such runner or pool.",
    405: "This method does nothing here.",
    409: "Refused: the runner changed, is busy, or is going; a ceiling is reached. The present state comes along.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "A value makes no sense.",
    429: "Too many wrong tokens.",
    502: "Koyeb gives no answer.",
    503: "Too many streams, or the state file cannot be written.",
}
ALWAYS = (401, 404, 405, 429)
OF_ACTIONS = (400, 403, 413, 415, 422, 503)


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    kinds = [endpoint.answer for endpoint in ENDPOINTS] + [e.body for e in ENDPOINTS if e.body] + [ErrorBody]
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    by_kind = dict(zip(map(str, kinds), schemas, strict=True))
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(BASE + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_kind)
    return {
        "openapi": "3.1.0",
        "info": {"title": "krs admin API", "version": krs.__version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(endpoint: Endpoint, by_kind: dict[str, Any]) -> dict[str, Any]:
    parameters = [_parameter(name, "path") for name in re.findall(r"{(\w+)}", endpoint.path)]
    parameters += [_parameter(name, "query") for name in endpoint.query]
    acts = endpoint.body is not None
    if acts:
        parameters += [_parameter(name, "header") for name in ("Idempotency-Key", "If-Match", "X-Krs-Actor")]
    statuses = {200, *ALWAYS, *endpoint.statuses, *(OF_ACTIONS if acts else ())}
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.method.lower()}_{re.sub(r'[^a-z]+', '_', endpoint.path).strip('_')}",
        "summary": endpoint.text,
        "parameters": parameters,
        "responses": {str(status): _response(endpoint, status, by_kind) for status in sorted(statuses)},
    }
    if acts:
        schema = by_kind[str(endpoint.body)]
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation


def _parameter(name: str, place: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name in ("after", "limit"):
        schema = {
            "type": "integer",
            "minimum": 0 if name == "after" else 1,
            "maximum": 1000 if name == "limit" else 10**15 - 1,
        }
    if place == "path":
        schema["minLength"] = 1
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _response(endpoint: Endpoint, status: int, by_kind: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = {"description": TEXTS[status]}
    if status == 304:
        return response
    schema = by_kind[str(endpoint.answer)] if status == 200 else by_kind[str(ErrorBody)]
    response["content"] = {"application/json": {"schema": schema}}
    return response
