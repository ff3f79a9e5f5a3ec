import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.settings.s3_layout import (
    bundle_prefix,
    default_input_uri,
    job_prefix,
    run_hash,
    run_prefix,
    run_slug,
    split_s3_uri,
)

PROPERTY = settings(derandomize=True, deadline=None, max_examples=200, database=None)


@pytest.mark.parametrize(
    ("run_id", "slug"),
    [
        ("manual__2026-11-24T02:21:00.123+00:00", "manual-2026-11-24T02-21-00-123-00-00"),
        ("Café été", "Cafe-ete"),
        ("再学習", "run"),
        ("", "run"),
        ("///", "run"),
        ("a" * 250, "a" * 60),
        ("a" * 59 + "-b", "a" * 59),
    ],
)
def test_run_slug_when_given_a_run_id_then_keeps_letters_digits_and_single_hyphens(run_id, slug):
    assert run_slug(run_id) == slug


@PROPERTY
@given(run_id=st.text(max_size=250))
def test_run_slug_when_given_any_text_then_fits_names(run_id):
    assert re.fullmatch(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,59}", run_slug(run_id))


@PROPERTY
@given(first=st.text(max_size=40), second=st.text(max_size=40))
def test_run_hash_when_run_ids_differ_then_differs(first, second):
    assert (run_hash("dag", first) == run_hash("dag", second)) == (first == second)
    assert re.fullmatch(r"[0-9a-f]{10}", run_hash("dag", first))


def test_run_hash_when_dags_differ_then_differs_and_a_broken_surrogate_is_no_error():
    assert run_hash("one", "run") != run_hash("two", "run")
    assert run_hash("one", "\ud800")


def test_prefixes_when_runs_share_a_slug_then_do_not_meet():
    prefixes = {
        run_prefix("bucket", run_slug(run_id), run_hash("dag", run_id)) for run_id in ("a/b", "a:b", "a b")
    }
    assert len(prefixes) == 3


def test_prefixes_when_made_then_nest_per_stage_and_job():
    assert job_prefix(run_prefix("bucket", "slug", "0123456789"), "train", "job-1") == (
        "s3://bucket/retraining/slug-0123456789/train/job-1"
    )
    assert bundle_prefix("bucket", "ab12") == "s3://bucket/job-bundles/ab12"


@pytest.mark.parametrize(
    ("schema", "uri"),
    [
        ("ibm_telco", "s3://data/raw/ibm_telco/"),
        ("s3://x/schemas/own_source.yaml", "s3://data/raw/own_source/"),
        ("s3://x/own.v2.json", "s3://data/raw/own.v2/"),
    ],
)
def test_default_input_uri_when_given_a_schema_then_is_its_folder(schema, uri):
    assert default_input_uri("data", schema) == uri


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("s3://bucket/a/b.csv", ("bucket", "a/b.csv")),
        ("s3://bucket/", ("bucket", "")),
        ("s3://bucket", ("bucket", "")),
    ],
)
def test_split_s3_uri_when_valid_then_gives_bucket_and_key(uri, parts):
    assert split_s3_uri(uri) == parts


@pytest.mark.parametrize("uri", ["", "bucket/key", "https://bucket/key", "s3:///key", "s3://Bucket/key"])
def test_split_s3_uri_when_not_an_address_then_says_what_one_looks_like(uri):
    with pytest.raises(ValueError, match="not an S3 address like"):
        split_s3_uri(uri)
