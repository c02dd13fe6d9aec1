"""CITATION.cff is what the Citation File Format 1.2.0 takes: its required fields, and no unknown ones, which tools would refuse."""

import tomllib

import jsonschema
import pytest
import yaml

from tests.checkout import ROOT

TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True}
ENTITY = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": TEXT, "website": TEXT, "email": TEXT},
    "additionalProperties": False,
}
PERSON = {
    "type": "object",
    "properties": dict.fromkeys(("family-names", "given-names", "orcid", "affiliation", "email", "website"), TEXT),
    "additionalProperties": False,
    "minProperties": 1,
}
# Of https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema.json what a project like this one needs.
SCHEMA = {
    "type": "object",
    "required": ["authors", "cff-version", "message", "title"],
    "additionalProperties": False,
    "properties": {
        "cff-version": {"const": "1.2.0"},
        "message": TEXT,
        "title": TEXT,
        "abstract": TEXT,
        "type": {"enum": ["software", "dataset"]},
        "authors": {"type": "array", "items": {"anyOf": [PERSON, ENTITY]}, "minItems": 1, "uniqueItems": True},
        "version": {"type": "string", "minLength": 1},
        "license": TEXT,
        "keywords": TEXTS,
        "date-released": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "doi": {"type": "string", "pattern": r"^10\.\d{4,9}/\S+$"},
        "url": {"type": "string", "pattern": "^https?://"},
        "repository-code": {"type": "string", "pattern": "^https?://"},
    },
}


@pytest.fixture
def citation():
    """What the file says, with scalars as they are written."""
    return yaml.load((ROOT / "CITATION.cff").read_text(), Loader=yaml.BaseLoader)


def test_the_citation_has_what_the_format_requires_and_nothing_it_does_not_know(citation):
    jsonschema.Draft7Validator(SCHEMA).validate(citation)


@pytest.mark.parametrize(
    ("key", "value"), [("authors", []), ("cff-version", "1.1.0"), ("message", None), ("type", "program"), ("licence", "MIT")]
)
def test_a_citation_that_tools_would_refuse_is_found(citation, key, value):
    wrong = {**citation, key: value}
    assert not jsonschema.Draft7Validator(SCHEMA).is_valid(wrong)


def test_the_citation_is_of_this_version_and_licence(citation):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
