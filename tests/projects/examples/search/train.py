"""Pretends to train."""

import sys

import mlflow

momentum, seed = float(sys.argv[1]), int(sys.argv[2])
with mlflow.start_run():
    mlflow.log_metric("loss", round((momentum - 0.1) ** 2 + seed / 100, 6))
