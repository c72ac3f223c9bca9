"""Fits an elastic net to what is made up here, and logs it."""

import sys

import mlflow
import mlflow.sklearn
from mlflow.models import infer_signature
from sklearn.datasets import make_regression
from sklearn.linear_model import ElasticNet
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import train_test_split

alpha, l1_ratio = float(sys.argv[1]), float(sys.argv[2])
features, target = make_regression(n_samples=200, n_features=5, noise=3.0, random_state=40)
train_x, test_x, train_y, test_y = train_test_split(features, target, random_state=40)

with mlflow.start_run():
    model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, random_state=42).fit(train_x, train_y)
    predicted = model.predict(test_x)
    mlflow.log_param("alpha", alpha)
    mlflow.log_param("l1_ratio", l1_ratio)
    mlflow.log_metric("rmse", mean_squared_error(test_y, predicted) ** 0.5)
    mlflow.log_metric("r2", r2_score(test_y, predicted))
    mlflow.sklearn.log_model(
        model, name="model", signature=infer_signature(train_x, predicted), pip_requirements=["scikit-learn"]
    )
