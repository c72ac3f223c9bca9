"""Runs with .venvs/kserve: serves the folder of a model as KServe's server for scikit-learn does, by both protocols.

That server is in no package; its class is: it takes the one file .joblib, .pkl or .pickle of the folder, loads it with
joblib, and predicts from the instances or from the tensors of a request.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import joblib
import kserve
import numpy as np
from kserve.model_repository import ModelRepository
from kserve.protocol.dataplane import DataPlane
from kserve.utils.utils import get_predict_input, get_predict_response

EXTENSIONS = {".joblib", ".pkl", ".pickle"}


class SKLearnModel(kserve.Model):
    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self._folder = folder

    def load(self) -> bool:
        (file,) = [path for path in self._folder.iterdir() if path.suffix in EXTENSIONS]
        self._model = joblib.load(file)
        self.ready = True
        return self.ready

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        return get_predict_response(payload, self._model.predict(get_predict_input(payload)), self.name)


async def ask(model: SKLearnModel) -> None:
    repository = ModelRepository()
    repository.update(model)
    plane = DataPlane(repository)
    first, _ = await plane.infer("iris", {"instances": [[5.1, 3.5, 1.4, 0.2]]})
    assert first == {"predictions": [0]}, first
    tensor = kserve.InferInput("x", [1, 4], "FP64")
    tensor.set_data_from_numpy(np.array([[6.3, 3.3, 6.0, 2.5]]), binary_data=False)
    second, _ = await plane.infer("iris", kserve.InferRequest("iris", [tensor]))
    assert second.outputs[0].data == [2], second


loaded = SKLearnModel("iris", Path(sys.argv[1]))
assert loaded.load()
asyncio.run(ask(loaded))
