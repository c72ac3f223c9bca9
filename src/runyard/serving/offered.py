"""What programs find in `mlflow.models` of this package, with the arguments that MLflow's have."""

from __future__ import annotations

from runyard.serving import image
from runyard.serving.asking import predict

__all__ = ["build_docker", "predict"]


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
