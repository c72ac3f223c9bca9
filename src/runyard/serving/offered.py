"""What programs find in `mlflow.models` of this package, with the arguments that MLflow's have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.serving import image
from runyard.serving.asking import predict
from runyard.serving.invocations import JSON, Invocation
from runyard.serving.served import fetch, load, name_of

__all__ = ["build_docker", "predict", "validate_serving_input"]


def validate_serving_input(model_uri: str | Path, serving_input: str | Mapping[str, Any]) -> Any:
    """Return what a model predicts for a request, as a scoring server reads it.

    Args:
        serving_input: the body of the request, JSON or what it holds.
    Raises:
        BadRequest: it is no such request.
        InvalidParameter: it does not fit the model's signature.
    """
    body = serving_input if isinstance(serving_input, str) else json.dumps(dict(serving_input))
    served = load(fetch(str(model_uri)), name_of(str(model_uri)))
    return served.predict(Invocation(body.encode(), JSON).read(served))


def build_docker(
    model_uri: str | None = None,
    name: str = "mlflow-pyfunc",
    env_manager: str = "local",
    mlflow_home: str | None = None,
    install_java: bool = False,
    install_mlflow: bool = False,
    base_image: str | None = None,
) -> None:
    """Build an image that serves a model at port 8080; see `runyard models build-docker`."""
    image.build(
        model_uri,
        name,
        env_manager=env_manager,
        install_java=install_java,
        sources=mlflow_home,
        base_image=base_image,
    )
