"""What holds of every table of parameters: typed, bounded, explained, and judged as Airflow judges it."""

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.settings import monitoring_table, retraining_table
from include.settings.parameter_rules import KNOWN_KEYWORDS, problems
from include.settings.parameter_table import INSTANCE_TYPES

PROPERTY = settings(derandomize=True, deadline=None, max_examples=80, database=None)
# A row that both tables share is checked once.
PARAMETERS = list(
    {id(row): row for row in (*retraining_table.PARAMETERS, *monitoring_table.PARAMETERS)}.values()
)


@pytest.mark.parametrize("table", [retraining_table.PARAMETERS, monitoring_table.PARAMETERS])
def test_table_when_read_then_no_name_comes_twice(table):
    assert len({row.name for row in table}) == len(table)


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_table_when_read_then_every_row_is_typed_bounded_described_and_has_a_valid_default(row):
    schema = row.schema
    assert row.title
    assert row.description.endswith((".", ")"))
    assert set(schema) <= KNOWN_KEYWORDS
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    for type_name in types:
        bounds = {
            "boolean": True, "null": True, "string": "enum" in schema or "maxLength" in schema,
            "integer": {"minimum", "maximum"} <= set(schema), "number": {"minimum", "maximum"} <= set(schema),
            "object": "maxProperties" in schema,
        }  # fmt: skip
        assert bounds[type_name]
    assert "pattern" not in schema or "$comment" in schema
    jsonschema.Draft202012Validator.check_schema(schema)
    assert not list(problems(row.default, schema, row.name))


@pytest.mark.parametrize("shape", ["ProcessingInstanceType", "TrainingInstanceType"])
def test_instance_types_when_asked_of_sagemaker_then_all_exist(shape):
    import botocore.session

    known = botocore.session.get_session().get_service_model("sagemaker").shape_for(shape).enum
    assert set(INSTANCE_TYPES) <= set(known)
    assert len(set(INSTANCE_TYPES)) == len(INSTANCE_TYPES)


_JSON_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from([value for row in PARAMETERS for value in row.schema.get("enum", [])]),
    st.sampled_from(["s3://bucket/raw/", "iranian", "a-b", "s3://b/x"]),
)  # fmt: skip
_JSON_VALUES = st.one_of(
    _JSON_SCALARS,
    st.lists(_JSON_SCALARS, max_size=2),
    st.dictionaries(st.text(max_size=8), _JSON_SCALARS, max_size=3),
)


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
@PROPERTY
@given(value=_JSON_VALUES)
def test_problems_when_compared_with_jsonschema_then_agree(row, value):
    """Airflow checks the trigger form and REST with jsonschema; what it lets through, we let through."""
    ours = not list(problems(value, row.schema, row.name))
    theirs = jsonschema.Draft202012Validator(row.schema).is_valid(value)
    assert ours == theirs
