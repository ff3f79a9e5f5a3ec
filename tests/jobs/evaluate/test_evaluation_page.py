import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from include.data_contracts.evaluation_report import EvaluatedDataset, EvaluatedModel, EvaluationReport
from sagemaker_jobs.bootstrap_intervals import estimate_metrics
from sagemaker_jobs.classification_metrics import make_score_table
from sagemaker_jobs.evaluation_curves import compute_curves
from sagemaker_jobs.evaluation_page import describe_in_sentences, render_evaluation_page
from sagemaker_jobs.model_evaluation import count_confusions

HOSTILE = "<script>alert(1)</script>\" onload='x' &"


def make_report(scores, labels, data_origin="real"):
    table = make_score_table(labels, scores, 0.5)
    metrics, bootstrap = estimate_metrics(table, 1, replicates=100)
    return EvaluationReport(
        data_origin=data_origin,
        dataset=EvaluatedDataset(len(labels), int(labels.sum()), "ibm_telco", "f" * 64),
        model=EvaluatedModel("random_forest", "a" * 64, None, 0.5, 400, 42, {"max_depth": 8}, {"numpy": "2"}),
        metrics=metrics,
        confusion_matrix=count_confusions(table),
        bootstrap=bootstrap,
        curves=compute_curves(table),
    )


@pytest.fixture(scope="module")
def report():
    generator = np.random.default_rng(1)
    scores = generator.random(500)
    return make_report(scores, (generator.random(500) < scores).astype(int))


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def test_page_when_rendered_then_loads_nothing_and_runs_nothing(report):
    text = render_evaluation_page(report)
    page = Page(text)

    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not [
        name for name, _ in page.attributes if name in {"src", "href", "style"} or name.startswith("on")
    ]
    assert not re.search(r"https?://|url\(|@import", text)
    assert len(text) < 100_000


def test_page_when_rendered_then_draws_four_curves_as_sound_svg(report):
    drawings = re.findall(r"<svg.*?</svg>", render_evaluation_page(report), re.DOTALL)

    assert len(drawings) == 4
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("aria-label")
        numbers = [float(n) for path in root.iter("path") for n in re.findall(r"-?[0-9.]+", path.get("d"))]
        assert numbers
        assert all(0 <= number <= 440 for number in numbers)


def test_page_when_rendered_then_shows_every_metric_with_its_interval(report):
    page = Page(render_evaluation_page(report))

    for metric in report.metrics.values():
        assert f"{metric.value:.4f}" in page.text
        assert f"{metric.lower:.4f} to {metric.upper:.4f}" in page.text


@pytest.mark.parametrize("place", ["algorithm", "hyperparameters", "versions", "schema"])
def test_page_when_a_text_is_hostile_then_shows_it_as_text(report, place):
    changes = {
        "algorithm": {"model": replace(report.model, algorithm=HOSTILE)},
        "hyperparameters": {"model": replace(report.model, hyperparameters={HOSTILE: HOSTILE})},
        "versions": {"model": replace(report.model, versions={HOSTILE: HOSTILE})},
        "schema": {"dataset": replace(report.dataset, schema_name=HOSTILE)},
    }
    page = Page(render_evaluation_page(replace(report, **changes[place])))

    assert HOSTILE in page.text
    assert "script" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_metric_when_its_name_is_hostile_then_is_shown_as_text(report):
    metrics = {**report.metrics, HOSTILE: report.metric("accuracy")}

    assert "script" not in Page(render_evaluation_page(replace(report, metrics=metrics))).tags


@pytest.mark.parametrize(("origin", "is_shown"), [("synthetic", True), ("real", False)])
def test_banner_when_data_are_synthetic_then_is_shown_and_else_not(report, origin, is_shown):
    page = Page(render_evaluation_page(replace(report, data_origin=origin)))

    assert ("must not be approved" in page.text) is is_shown


@pytest.mark.parametrize(
    "scores",
    [np.full(20, 0.2), np.full(20, 0.7), np.linspace(0, 1, 20), np.repeat([0.0, 1.0], 10)],
    ids=["nobody flagged", "all flagged", "perfect", "certain"],
)
def test_page_when_the_model_is_degenerate_then_is_still_drawn(scores):
    report = make_report(scores, np.repeat([0, 1], 10))
    text = render_evaluation_page(report)

    assert "nan" not in text.lower().replace("finance", "")
    assert len(re.findall("<svg", text)) == 4


def test_sentences_when_nobody_is_flagged_then_say_so():
    report = make_report(np.full(20, 0.2), np.repeat([0, 1], [15, 5]))

    assert describe_in_sentences(report)[-1] == "At its threshold of 50% it flags no customer at all."


def test_sentences_when_read_then_hold_the_figures_and_no_verdict(report):
    text = " ".join(describe_in_sentences(report))

    assert f"{report.metric('accuracy').value:.1%}" in text
    assert f"{report.metric('accuracy_best_constant_classifier').value:.1%}" in text
    assert not re.search(r"\b(good|bad|excellent|poor|passed|failed)\b", text)
