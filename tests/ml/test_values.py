"""Values as training code has them: scalars of PyTorch and NumPy are logged as numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import runyard as mlflow


@pytest.mark.parametrize(
    "value",
    [torch.tensor(0.5), torch.tensor([0.5], requires_grad=True), np.float32(0.5), np.array(0.5)],
    ids=["tensor", "tensor of one element, with a gradient", "NumPy scalar", "NumPy array"],
)
def test_a_scalar_of_a_library_is_logged_as_its_number(tmp_path: Path, value: object):
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")

    with mlflow.start_run() as run:
        mlflow.log_metric("loss", value)  # type: ignore[arg-type]

    assert mlflow.get_run(run.info.run_id).data.metrics == {"loss": 0.5}
