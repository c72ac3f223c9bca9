"""Small untrained pipelines of Transformers, and what they answer as pyfunc models. For us and beside upstream.

Run as ``python -m tests.ml.pipelines save|load FOLDER``; ``mlflow`` is whichever the path has.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.ml.tiny_models import _bert, _bert_config

TWO = ["hello good world", "bad [MASK] world"]
MASKED = ["hello [MASK] world", "bad [MASK]"]
UNSEEN = pd.DataFrame(
    {"sequences": TWO, "candidate_labels": ['["good", "bad"]'] * 2, "hypothesis_template": ["hello {}"] * 2}
)

# What each pipeline is saved with, and asked.
CASES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "text-classification": ({}, [TWO[0], TWO[:1], TWO, pd.DataFrame({"text": TWO})]),
    "text-classification with all classes": ({"model_config": {"top_k": None}}, [TWO[0]]),
    "token-classification": ({}, [TWO[0], TWO[:1], TWO]),
    "fill-mask": ({}, [MASKED[0], MASKED[:1], MASKED]),
    "fill-mask with a template": ({"prompt_template": "good {prompt} good"}, [MASKED]),
    "feature-extraction": ({}, [TWO[:1]]),
    "text-generation": ({"model_config": {"max_new_tokens": 4, "do_sample": False}}, [TWO[0], TWO[:1], TWO]),
    "text-generation with a template": (
        {"prompt_template": "bad {prompt} good", "model_config": {"max_new_tokens": 3, "do_sample": False}},
        [TWO],
    ),
    "zero-shot-classification": ({}, [UNSEEN]),
}


def make(name: str, folder: Path) -> Any:
    """Return the pipeline of a case."""
    import torch
    import transformers

    words = _bert(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(words)
    torch.manual_seed(1)
    task = name.partition(" with ")[0]
    if task == "text-generation":
        config = transformers.GPT2Config(vocab_size=9, n_embd=8, n_layer=1, n_head=2, bos_token_id=2, eos_token_id=3)
        model: Any = transformers.GPT2LMHeadModel(config)
        model.generation_config.pad_token_id = 0
        # Words alone: others are not seen in what is decoded.
        model.generation_config.suppress_tokens = [0, 1, 2, 3, 4]
    else:
        config = _bert_config(transformers.BertConfig)
        config.id2label = {0: "entailment", 1: "contradiction"} if "zero" in task else {0: "UP", 1: "DOWN"}
        config.label2id = {label: index for index, label in config.id2label.items()}
        kinds = {"token-classification": "TokenClassification", "fill-mask": "MaskedLM", "feature-extraction": "Model"}
        kind = kinds.get(task, "SequenceClassification")
        model = getattr(transformers, "BertModel" if kind == "Model" else f"BertFor{kind}")(config)
    return transformers.pipeline(task, model=model.eval(), tokenizer=tokenizer, device="cpu")


def save(mlflow: Any, folder: Path) -> None:
    for name, (options, _) in CASES.items():
        mlflow.transformers.save_model(make(name, folder), str(folder / name), pip_requirements=["none"], **options)


def answers(mlflow: Any, folder: Path) -> dict[str, Any]:
    """Return what each pipeline of a folder answers, ready for JSON, and the schemas that it was saved with."""
    found = {}
    for name, (_, asked) in CASES.items():
        model = mlflow.pyfunc.load_model(str(folder / name))
        told = [plain(model.predict(each)) for each in asked]
        found[name] = {"told": told, "signature": model.metadata.signature.to_dict()}
        assert type(mlflow.transformers.load_model(str(folder / name))).__name__ == type(make(name, folder)).__name__
    return found


def plain(told: Any) -> Any:
    if isinstance(told, pd.DataFrame):
        return json.loads(told.to_json(orient="split"))
    return told.tolist() if isinstance(told, np.ndarray) else told


if __name__ == "__main__":
    import mlflow

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    here = Path(sys.argv[2])
    if sys.argv[1] == "save":
        save(mlflow, here)
    print(json.dumps(answers(mlflow, here)))
