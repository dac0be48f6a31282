"""The OpenAPI descriptions of Koyeb and GitHub as judges of requests and answers: closed, so an unknown field fails."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "contract"


class Contract:
    """One API's description; every object that names properties is closed."""

    def __init__(self, path: Path) -> None:
        self.document = json.loads(path.read_text(encoding="utf-8"))
        _allow_null(self.document)
        for schema in _schemas(self.document):
            if schema["properties"] and not schema.get("additionalProperties"):
                schema["additionalProperties"] = False
        self._paths = {
            re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"): operations
            for path, operations in self.document["paths"].items()
        }

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """The operation of a request; fails when there is none."""
        exact = self.document["paths"].get(path)
        found = [exact] if exact else [operations for pattern, operations in self._paths.items() if pattern.match(path)]
        assert found, f"no such path: {path}"
        assert method.lower() in found[0], f"no such method: {method} {path}"
        operation: dict[str, Any] = found[0][method.lower()]
        return {**operation, "parameters": [*found[0].get("parameters", []), *operation.get("parameters", [])]}

    def check_request(self, method: str, path: str, query: dict[str, Any], body: Any) -> None:
        """Fail unless the API knows this request, each of its parameters and each field of its body."""
        operation = self.operation(method, path)
        known = [self._resolve(parameter) for parameter in operation["parameters"]]
        schemas = {parameter["name"]: parameter["schema"] for parameter in known if parameter["in"] == "query"}
        needed = {parameter["name"] for parameter in known if parameter["in"] == "query" and parameter.get("required")}
        assert set(query) <= set(schemas), f"unknown parameters of {method} {path}: {set(query) - set(schemas)}"
        assert needed <= set(query), f"missing parameters of {method} {path}: {needed - set(query)}"
        for name, text in query.items():
            self._validate(_typed(text, self._resolve(schemas[name])), schemas[name])
        if body is not None:
            self._validate(body, _content(self._resolve(operation["requestBody"])))

    def check_answer(self, method: str, path: str, status: int, body: Any) -> None:
        """Fail unless this answer is one that the API describes."""
        answers = self.operation(method, path)["responses"]
        assert str(status) in answers, f"{method} {path} never answers {status}"
        answer = self._resolve(answers[str(status)])
        if answer.get("content"):
            self._validate(body, _content(answer))

    def _resolve(self, thing: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in thing:
            target: Any = self.document
            for part in thing["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/")]
            thing = target
        return thing

    def _validate(self, value: Any, schema: dict[str, Any]) -> None:
        root = {**copy.copy(schema), "components": self.document["components"]}
        jsonschema.Draft4Validator(root).validate(value)


def _typed(text: str, schema: dict[str, Any]) -> Any:
    """A parameter's text as the type that the description gives it; unchanged when it is none of that type."""
    match schema.get("type"):
        case "integer" | "number" | "boolean":
            try:
                return json.loads(text)
            except ValueError:
                return text
        case "array":
            return [text]
        case _:
            return text


def _content(holder: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = next(iter(holder["content"].values()))["schema"]
    return schema


def _schemas(node: Any) -> list[dict[str, Any]]:
    """Every schema object inside a document."""
    found: list[dict[str, Any]] = []
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            found.append(node)
        for value in node.values():
            found += _schemas(value)
    elif isinstance(node, list):
        for value in node:
            found += _schemas(value)
    return found


def _allow_null(node: Any) -> None:
    """Write OpenAPI 3.0's `nullable` as JSON Schema does."""
    if isinstance(node, dict):
        if node.get("nullable") is True and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
            if "enum" in node:
                node["enum"] = [*node["enum"], None]
        for value in node.values():
            _allow_null(value)
    elif isinstance(node, list):
        for value in node:
            _allow_null(value)


def _contract(name: str) -> Contract:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"the API description {name} is not beside the project")
    return Contract(path)


@pytest.fixture(scope="session")
def koyeb_contract() -> Contract:
    """Koyeb's description."""
    return _contract("koyeb-openapi.json")


@pytest.fixture(scope="session")
def github_contract() -> Contract:
    """GitHub's description."""
    return _contract("github-openapi.json")
