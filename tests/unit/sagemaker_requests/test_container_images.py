import re

import pytest

from include.sagemaker_requests.container_images import (
    SKLEARN,
    SKLEARN_VERSION,
    TENSORFLOW_INFERENCE,
    TENSORFLOW_INFERENCE_VERSION,
    UnknownImageError,
    image_uri,
    images_by_region,
    stage_images,
)


@pytest.mark.parametrize(
    ("region", "domain"),
    [("eu-west-1", "amazonaws.com"), ("us-gov-west-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")],
)
def test_image_uri_when_region_is_known_then_names_its_registry(region, domain):
    uri = image_uri(SKLEARN, SKLEARN_VERSION, region)
    assert re.fullmatch(
        rf"\d{{12}}\.dkr\.ecr\.{region}\.{re.escape(domain)}/sagemaker-scikit-learn:1\.9-0-cpu-py3", uri
    )


def test_image_uri_when_region_is_unknown_then_one_line_names_it_and_the_known_ones():
    with pytest.raises(UnknownImageError, match=r"'mars-north-1'.*eu-west-1") as caught:
        image_uri(SKLEARN, SKLEARN_VERSION, "mars-north-1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("image", "version"), [(SKLEARN, "0.20"), ("pytorch", "2.0")])
def test_image_uri_when_image_or_version_is_unknown_then_names_it(image, version):
    with pytest.raises(UnknownImageError, match=re.escape(version)):
        image_uri(image, version, "eu-west-1")


def test_images_by_region_when_asked_then_commercial_government_and_china_regions_have_all():
    complete = {region for region, images in images_by_region().items() if len(images) == 3}
    assert {"us-east-1", "eu-west-1", "ap-southeast-2", "us-gov-east-1", "cn-northwest-1"} <= complete
    assert len(complete) >= 30


def test_stage_images_when_algorithm_is_keras_then_only_preprocess_is_scikit_learn():
    images = stage_images("keras_mlp", "eu-west-1")
    assert "scikit-learn" in images.preprocess
    assert images.train == images.evaluate
    assert images.train.endswith("/tensorflow-training:2.21-cpu-py312")
    assert images.inference == image_uri(TENSORFLOW_INFERENCE, TENSORFLOW_INFERENCE_VERSION, "eu-west-1")


@pytest.mark.parametrize("algorithm", ["hist_gradient_boosting", "logistic_regression", "random_forest"])
def test_stage_images_when_algorithm_is_scikit_learns_then_one_image_does_it_all(algorithm):
    images = stage_images(algorithm, "eu-west-1")
    assert {images.preprocess, images.train, images.evaluate, images.inference} == {
        image_uri(SKLEARN, SKLEARN_VERSION, "eu-west-1")
    }
