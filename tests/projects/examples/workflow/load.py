"""Makes the data of the workflow."""

import argparse

import mlflow

arguments = argparse.ArgumentParser()
arguments.add_argument("--rows", type=int)
rows = arguments.parse_args().rows

with mlflow.start_run():
    mlflow.log_text("".join(f"{x},{x * x}\n" for x in range(rows)), "data.csv")
