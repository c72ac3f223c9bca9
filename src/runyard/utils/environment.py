"""Environments of models, by the name under which programs that make their own look for them."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def _mlflow_conda_env(
    path: str | Path | None = None,
    additional_conda_deps: Sequence[str] | None = None,
    additional_pip_deps: Sequence[str] | None = None,
    additional_conda_channels: Sequence[str] | None = None,
    install_mlflow: bool = True,
) -> dict[str, Any] | None:
    """Return a conda environment for ``log_model``, or write it to ``path``.

    Args:
        install_mlflow: taken for the sake of programs; who loads a model is in its environment already.
    """
    dependencies: list[Any] = [f"python={platform.python_version()}", *(additional_conda_deps or ())]
    if additional_pip_deps:
        dependencies += ["pip", {"pip": list(additional_pip_deps)}]
    environment = {
        "name": "mlflow-env",
        "channels": ["conda-forge", *(additional_conda_channels or ())],
        "dependencies": dependencies,
    }
    if path is None:
        return environment
    import yaml

    Path(path).write_text(yaml.safe_dump(environment, sort_keys=False), encoding="utf-8")
    return None
