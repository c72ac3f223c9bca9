"""A small model of each library, always the same one, with data that it takes. Imported by us and beside upstream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FRAME = pd.DataFrame({"a": np.linspace(0, 1, 20), "b": [0.0, 1.0] * 10})
LABELS = np.array([0, 1] * 10)
ARRAY = FRAME.to_numpy(dtype=np.float32)
TEXTS = pd.DataFrame({"text": ["hello world", "good", "bad"]})


@dataclass(frozen=True)
class Kind:
    """How a model is made, and what it is asked."""

    flavor: str
    make: Callable[[Path], Any]
    data: Any
    # What the library itself answers.
    ask: Callable[[Any, Any], Any]
    options: dict[str, Any] | None = None


def _predict(model: Any, data: Any) -> Any:
    return model.predict(data)


def _xgboost_booster(_: Path) -> Any:
    import xgboost

    return xgboost.train({"max_depth": 2, "seed": 1}, xgboost.DMatrix(FRAME, label=LABELS), 3)


def _ask_booster(model: Any, data: Any) -> Any:
    import xgboost

    return model.predict(xgboost.DMatrix(data))


def _xgboost_classifier(_: Path) -> Any:
    import xgboost

    return xgboost.XGBClassifier(n_estimators=3, max_depth=2, random_state=1).fit(FRAME, LABELS)


def _lightgbm_booster(_: Path) -> Any:
    import lightgbm

    options = {"objective": "binary", "verbose": -1, "min_data_in_leaf": 2, "num_threads": 1}
    return lightgbm.train(options, lightgbm.Dataset(FRAME, label=LABELS), 3)


def _lightgbm_classifier(_: Path) -> Any:
    import lightgbm

    return lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, min_child_samples=2, n_jobs=1).fit(FRAME, LABELS)


def _catboost_classifier(_: Path) -> Any:
    import catboost

    model = catboost.CatBoostClassifier(iterations=3, depth=2, verbose=False, allow_writing_files=False, thread_count=1)
    return model.fit(FRAME, LABELS)


def _statsmodels(_: Path) -> Any:
    import statsmodels.api

    return statsmodels.api.OLS(LABELS, FRAME).fit()


def _torch(_: Path) -> Any:
    import torch

    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))


def _torch_script(folder: Path) -> Any:
    import torch

    return torch.jit.script(_torch(folder))


def _ask_torch(model: Any, data: Any) -> Any:
    import torch

    with torch.no_grad():
        return model(torch.from_numpy(data)).numpy()


def _onnx(_: Path) -> Any:
    from skl2onnx import to_onnx
    from sklearn.linear_model import LinearRegression

    return to_onnx(LinearRegression().fit(ARRAY, LABELS), ARRAY[:1])


def _ask_onnx(model: Any, data: Any) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: data})[0]


def _keras(_: Path) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])


def _ask_keras(model: Any, data: Any) -> Any:
    return model.predict(data, verbose=0)


def _spacy(_: Path) -> Any:
    import spacy

    pipeline = spacy.blank("en")
    categorizer = pipeline.add_pipe("textcat")
    for label in ("GOOD", "BAD"):
        categorizer.add_label(label)
    pipeline.initialize()
    return pipeline


def _ask_spacy(model: Any, data: Any) -> Any:
    return [[model(text).cats[label] for label in ("GOOD", "BAD")] for text in data["text"]]


def _bert(folder: Path) -> Path:
    """Write an untrained model of a few hundred weights, and its tokenizer."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(1)
    words = folder / "words"
    words.mkdir(exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", "good", "bad"]
    (words / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(str(words / "vocab.txt")).save_pretrained(words)
    BertModel(_bert_config(BertConfig)).save_pretrained(words)
    return words


def _bert_config(kind: Any) -> Any:
    return kind(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)


def _sentence_transformer(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(_bert(folder)))


def _ask_sentence_transformer(model: Any, data: Any) -> Any:
    return model.encode(data["text"].tolist())


def _transformer(folder: Path) -> Any:
    from transformers import pipeline

    words = str(_bert(folder))
    return pipeline("feature-extraction", model=words, tokenizer=words, device="cpu")


def _ask_transformer(model: Any, data: Any) -> Any:
    return model(data["text"].tolist())[0][0]


KINDS = {
    "xgboost booster": Kind("xgboost", _xgboost_booster, FRAME, _ask_booster),
    "xgboost booster as JSON": Kind("xgboost", _xgboost_booster, FRAME, _ask_booster, {"model_format": "json"}),
    "xgboost classifier": Kind("xgboost", _xgboost_classifier, FRAME, _predict),
    "lightgbm booster": Kind("lightgbm", _lightgbm_booster, FRAME, _predict),
    "lightgbm classifier": Kind(
        "lightgbm", _lightgbm_classifier, FRAME, _predict, {"serialization_format": "cloudpickle"}
    ),
    "lightgbm classifier as skops": Kind(
        "lightgbm", _lightgbm_classifier, FRAME, _predict, {"serialization_format": "skops"}
    ),
    "catboost classifier": Kind("catboost", _catboost_classifier, FRAME, _predict),
    "statsmodels": Kind("statsmodels", _statsmodels, FRAME, _predict),
    "pytorch": Kind("pytorch", _torch, ARRAY, _ask_torch, {"serialization_format": "pickle"}),
    "pytorch as a graph": Kind(
        "pytorch", _torch, ARRAY, _ask_torch, {"serialization_format": "pt2", "input_example": ARRAY[:3]}
    ),
    "torch script": Kind("pytorch", _torch_script, ARRAY, _ask_torch, {"serialization_format": "pickle"}),
    "onnx": Kind("onnx", _onnx, ARRAY, _ask_onnx),
    "keras": Kind("keras", _keras, ARRAY, _ask_keras),
    "spacy": Kind("spacy", _spacy, TEXTS, _ask_spacy),
    "transformers": Kind("transformers", _transformer, TEXTS.head(1), _ask_transformer),
    "sentence transformer": Kind("sentence_transformers", _sentence_transformer, TEXTS, _ask_sentence_transformer),
}


def numbers(predicted: Any) -> Any:
    """Return predictions of any form as nested lists of numbers."""
    if isinstance(predicted, dict):
        [predicted] = predicted.values()
    if isinstance(predicted, pd.DataFrame):
        if len(predicted) and isinstance(predicted.iloc[0, 0], dict):
            return [[cell[label] for label in ("GOOD", "BAD")] for cell in predicted.iloc[:, 0]]
        predicted = predicted.to_numpy()
    return np.asarray(predicted, dtype=float).tolist()
