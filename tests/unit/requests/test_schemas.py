"""The closed lists of the contract are those of the law, and its examples are lawful requests and decisions."""

from datetime import date
from typing import get_args

import pytest
from pydantic import ValidationError

from api.requests.decisions.schemas import FIELD_NAMES, PURPOSES, DecisionOut, GrantIn, OwnInitiativeIn, RefusalIn
from api.requests.schemas import Kind, RequestIn, RequestOut
from policies.catalogue import law
from policies.grants import Item, Way, check_grant, check_request, unattested

LAW = law()
SECTOR = {"skarholmen-socialtjanst": "social-services", "polismyndigheten": "police"}
DAY = date(2026, 11, 20)


def example(model):
    return model.model_config["json_schema_extra"]["example"]


def test_kinds_that_can_be_asked_for_are_those_of_what_is_held_about_persons():
    assert set(get_args(Kind)) == {field.kind.id for field in LAW.fields_of("individual")}


def test_purposes_and_fields_are_those_of_the_law():
    assert tuple(LAW.purposes) == PURPOSES
    assert FIELD_NAMES == tuple(field.name for field in LAW.fields_of("individual"))


@pytest.mark.parametrize(
    ("model", "resource"), [(RequestOut, "disclosure-request"), (DecisionOut, "disclosure-decision")]
)
def test_answer_has_exactly_the_fields_of_the_law(model, resource):
    shown = {field.alias for field in model.model_fields.values()} - {"_meta", "_links"}
    assert shown == {field.name for field in LAW.fields_of(resource)}


@pytest.mark.parametrize("model", [RequestIn, GrantIn, RefusalIn, OwnInitiativeIn])
def test_example_is_what_it_is_an_example_of(model):
    model.model_validate(example(model))
    with pytest.raises(ValidationError):
        model.model_validate(example(model) | {"individual": "x"})


def test_examples_are_lawful():
    asked, own, grant = example(RequestIn), example(OwnInitiativeIn), example(GrantIn)
    way = Way(asked["provision"], "on-request", "prevent-crime", SECTOR[asked["holder"]], "police", DAY)
    assert check_request(way, asked["kinds"], LAW) == ()
    for body in (grant, own):
        fields = [LAW.fields["individual", name] for name in body["fields"]]
        check = check_grant(way, fields, {"items[0]": Item(date(2009, 5, 4))}, LAW)
        assert check.obstacles == ()
        assert unattested(check.attestations, body["attestations"]) == ()
