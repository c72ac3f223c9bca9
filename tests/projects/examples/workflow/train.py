"""Fits a polynomial to the data of the workflow."""

import argparse

import mlflow
import numpy as np

arguments = argparse.ArgumentParser()
arguments.add_argument("--data")
arguments.add_argument("--degree", type=int)
told = arguments.parse_args()

with mlflow.start_run():
    x, y = np.loadtxt(told.data, delimiter=",", unpack=True)
    fitted = np.polyval(np.polyfit(x, y, told.degree), x)
    mlflow.log_metric("error", float(np.round(np.abs(fitted - y).max(), 3)))
