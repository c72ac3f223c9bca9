"""What a team may have on its server: experiments with runs of all kinds, artifacts of all kinds, and models.

`python -m tests.browser.world PORT` makes it on a server that is running, to look at.
"""

from __future__ import annotations

import io
import json
import math
import random
import struct
import sys
import wave
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.server.http import post, send

START_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
README_MD = """\
# Churn

Predicts **churn** from `usage`. See [the docs](https://example.com/).

| a | b |
|---|---|
| 1 | 2 |
"""


@dataclass
class World:
    """The ids of what was made."""

    experiment_id: str = ""
    other_experiment_id: str = ""
    run_ids: list[str] = field(default_factory=list)
    parent_run_id: str = ""
    artifacts_run_id: str = ""
    model_name: str = "churn-model"
    model_id: str = ""


def make_world(port: int, *, run_count: int = 24, steps: int = 200) -> World:
    world = World()
    world.experiment_id = _make_experiment(
        port, "churn-prediction", {"team": "growth", "mlflow.note.content": README_MD}
    )
    world.other_experiment_id = _make_experiment(port, "image-quality", {"team": "vision"})
    chance = random.Random(7)
    for number in range(run_count):
        world.run_ids.append(_make_training_run(port, world.experiment_id, number, chance, steps))
    world.parent_run_id = _make_sweep(port, world.experiment_id, chance)
    world.artifacts_run_id = world.run_ids[0]
    for path, content in artifact_files().items():
        upload(port, world.experiment_id, world.artifacts_run_id, path, content)
    world.model_id = _make_models(port, world)
    return world


def upload(port: int, experiment_id: str, run_id: str, path: str, content: bytes) -> None:
    stored = f"/api/2.0/mlflow-artifacts/artifacts/{experiment_id}/{run_id}/artifacts/{quote(path)}"
    answer = send(port, "PUT", stored, content, {"Content-Type": "application/octet-stream"})
    assert answer.status == 200, answer


def png(width: int, height: int, color: tuple[int, int, int]) -> bytes:
    """Return an image with a gradient of a colour."""
    rows = b"".join(
        b"\0" + b"".join(bytes(min(255, part + (x * 90) // width) for part in color) for x in range(width))
        for _ in range(height)
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def artifact_files() -> dict[str, bytes]:
    """Return a file of each kind that the UI shows, by path."""
    table = "name,score,share\n" + "".join(f"row {n},{n / 7:.4f},{n % 5}\n" for n in range(2500))
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"language_info": {"name": "python"}},
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# A notebook\n", "with *text*"]},
            {
                "cell_type": "code",
                "metadata": {},
                "execution_count": 1,
                "source": ["print('hello')"],
                "outputs": [{"output_type": "stream", "name": "stdout", "text": ["hello\n"]}],
            },
        ],
    }
    page = (
        "<!doctype html><title>Report</title><h1>Report</h1><p id=out>no script</p>"
        "<script>document.getElementById('out').textContent = 'script ran in ' + origin</script>"
    )
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(t / 6))) for t in range(8000)))
    files = {
        "notes.txt": b"line one\nline two\n" + b"more\n" * 400,
        "code/train.py": (
            b'"""Train."""\nimport math\n\n\ndef loss(x: float) -> float:\n    return math.exp(-x)  # falls\n'
        ),
        "config.json": json.dumps(
            {"optimizer": {"name": "adam", "lr": 0.001}, "layers": [64, 64, 1], "ok": True}
        ).encode(),
        "config.yaml": b"optimizer:\n  name: adam\n  lr: 0.001\n",
        "tables/scores.csv": table.encode(),
        "plots/roc.png": png(320, 240, (20, 90, 120)),
        "plots/shape.svg": (
            b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><script>alert(1)</script>'
            b'<circle cx="5" cy="5" r="4" fill="teal"/></svg>'
        ),
        "report.html": page.encode(),
        "report.md": README_MD.encode(),
        "report.pdf": _pdf(),
        "analysis.ipynb": json.dumps(notebook).encode(),
        "sound.wav": sound.getvalue(),
        "weights.bin": bytes(range(256)) * 64,
        "logs/big.log": b"".join(b"%07d a line of a long log\n" % n for n in range(90_000)),
        "model/MLmodel": MLMODEL.encode(),
        "model/requirements.txt": b"scikit-learn==1.7.2\n",
        "model/model.pkl": b"\x80\x05not a pickle",
    }
    for step in (0, 10, 20):
        for name, color in (("sample", (30 + step * 6, 60, 90)), ("mask", (90, 30 + step * 6, 30))):
            files[f"images/{name}%step%{step}%timestamp%{START_MS + step}%{step:08d}-aaaa-bbbb.png"] = png(
                160, 120, color
            )
    return files


MLMODEL = """\
artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.7.2
mlflow_version: 3.17.2
model_id: null
model_size_bytes: 1024
model_uuid: 4d0e0d2c3f5a4e0d9f5b6a7c8d9e0f1a
run_id: null
signature:
  inputs: '[{"type": "double", "name": "tenure", "required": true},
    {"type": "string", "name": "plan", "required": false}]'
  outputs: '[{"type": "long", "required": true}]'
  params: '[{"name": "threshold", "type": "double", "default": 0.5, "shape": null}]'
utc_time_created: '2026-11-20 10:00:00.000000'
"""


def _make_experiment(port: int, name: str, tags: dict[str, str]) -> str:
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    experiment_id: str = post(port, "experiments/create", {"name": name, "tags": pairs}).json["experiment_id"]
    return experiment_id


def make_run(
    port: int, experiment_id: str, name: str, tags: dict[str, str] | None = None, start_ms: int = START_MS
) -> str:
    pairs = [{"key": key, "value": value} for key, value in (tags or {}).items()]
    body = {"experiment_id": experiment_id, "run_name": name, "start_time": start_ms, "tags": pairs, "user_id": "ana"}
    run_id: str = post(port, "runs/create", body).json["run"]["info"]["run_id"]
    return run_id


def log(port: int, run_id: str, **content: Any) -> None:
    """Log params and tags by mappings, metrics as lists of points."""
    body = {"run_id": run_id, "metrics": content.get("metrics", [])}
    for kind in ("params", "tags"):
        body[kind] = [{"key": key, "value": str(value)} for key, value in content.get(kind, {}).items()]
    answer = post(port, "runs/log-batch", body)
    assert answer.status == 200, answer


def finish(port: int, run_id: str, status: str = "FINISHED", end_ms: int = START_MS + HOUR_MS) -> None:
    post(port, "runs/update", {"run_id": run_id, "status": status, "end_time": end_ms})


def _make_training_run(port: int, experiment_id: str, number: int, chance: random.Random, steps: int) -> str:
    optimizer = ("adam", "sgd", "rmsprop")[number % 3]
    rate = round(10 ** chance.uniform(-4, -1), 6)
    start = START_MS + number * HOUR_MS
    tags = {
        "mlflow.user": "ana",
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": f"{number:040x}",
        "mlflow.source.git.repoURL": "https://github.com/example/churn.git",
        "team": "growth" if number % 2 else "core",
    }
    if number == 0:
        tags["mlflow.note.content"] = "The **first** run. <script>alert(1)</script>"
    run_id = make_run(port, experiment_id, f"train-{optimizer}-{number:02d}", tags, start)
    depth = 2 + number % 4
    log(port, run_id, params={"optimizer": optimizer, "lr": rate, "depth": depth, "batch_size": 2 ** (4 + number % 3)})
    quality = min(0.98, 0.9 - abs(math.log10(rate) + 2.5) / 5 + 0.02 * depth)
    points: list[dict[str, Any]] = []
    for step in range(steps):
        time_ms = start + step * 1000
        loss = (1.2 - quality / 2) * math.exp(-step / 40) + 0.02 * chance.random()
        values = {
            "train/loss": loss,
            "val/loss": loss * 1.15 + 0.01 * chance.random(),
            "val/accuracy": quality * (1 - math.exp(-step / 30)),
        }
        if number == 2 and step > steps * 0.8:
            values["train/loss"] = math.nan
        points += [
            {"key": key, "value": "NaN" if math.isnan(value) else value, "timestamp": time_ms, "step": step}
            for key, value in values.items()
        ]
        if step % 10 == 0:
            points += [
                {
                    "key": "system/cpu_utilization_percentage",
                    "value": 40 + 30 * chance.random(),
                    "timestamp": time_ms,
                    "step": step // 10,
                },
                {
                    "key": "system/gpu_0_memory_usage_megabytes",
                    "value": 8000 + step,
                    "timestamp": time_ms,
                    "step": step // 10,
                },
            ]
    for at in range(0, len(points), 900):
        log(port, run_id, metrics=points[at : at + 900])
    if number % 5 == 0:
        data = {
            "name": "usage",
            "digest": f"d{number % 2}a1b2c3",
            "source_type": "s3",
            "source": '{"uri": "s3://data/usage.parquet"}',
            "schema": '{"mlflow_colspec": [{"type": "double", "name": "tenure"}]}',
            "profile": '{"num_rows": 2500}',
        }
        inputs = [{"dataset": data, "tags": [{"key": "mlflow.data.context", "value": "training"}]}]
        post(port, "runs/log-inputs", {"run_id": run_id, "datasets": inputs})
    if number != 1:
        status = {3: "FAILED", 7: "KILLED"}.get(number, "FINISHED")
        finish(port, run_id, status, start + (steps + number) * 1000)
    return run_id


def _make_sweep(port: int, experiment_id: str, chance: random.Random) -> str:
    parent = make_run(port, experiment_id, "sweep", {"mlflow.user": "ana"}, START_MS + 30 * HOUR_MS)
    for number in range(4):
        tags = {"mlflow.parentRunId": parent, "mlflow.user": "ana"}
        child = make_run(port, experiment_id, f"sweep-{number}", tags, START_MS + 30 * HOUR_MS + number)
        log(
            port,
            child,
            params={"lr": 0.01 * (number + 1)},
            metrics=[{"key": "val/loss", "value": chance.random(), "timestamp": START_MS, "step": 0}],
        )
        finish(port, child, end_ms=START_MS + 31 * HOUR_MS)
    finish(port, parent, end_ms=START_MS + 32 * HOUR_MS)
    return parent


def _make_models(port: int, world: World) -> str:
    pairs = [{"key": "task", "value": "classification"}]
    body = {"experiment_id": world.experiment_id, "name": "churn", "source_run_id": world.run_ids[0], "tags": pairs}
    model = post(port, "logged-models", body).json["model"]
    model_id: str = model["info"]["model_id"]
    stored = model["info"]["artifact_uri"].partition("mlflow-artifacts:/")[2]
    for name, content in (("MLmodel", MLMODEL.encode()), ("model.pkl", b"\x80\x05not a pickle")):
        send(
            port,
            "PUT",
            f"/api/2.0/mlflow-artifacts/artifacts/{stored}/{name}",
            content,
            {"Content-Type": "application/octet-stream"},
        )
    send_json(port, "PATCH", f"logged-models/{model_id}", {"model_id": model_id, "status": "LOGGED_MODEL_READY"})
    post(port, "runs/outputs", {"run_id": world.run_ids[0], "models": [{"model_id": model_id, "step": 0}]})
    post(
        port,
        "registered-models/create",
        {
            "name": world.model_name,
            "description": "Who *leaves* next month.",
            "tags": [{"key": "owner", "value": "growth"}],
        },
    )
    sources = [
        (f"runs:/{world.run_ids[0]}/model", world.run_ids[0]),
        (f"models:/{model_id}", world.run_ids[0]),
        (f"runs:/{world.run_ids[0]}/model", world.run_ids[0]),
    ]
    for source, run_id in sources:
        answer = post(port, "model-versions/create", {"name": world.model_name, "source": source, "run_id": run_id})
        assert answer.status == 200, answer
    post(port, "model-versions/transition-stage", {"name": world.model_name, "version": "1", "stage": "Production"})
    post(port, "registered-models/alias", {"name": world.model_name, "alias": "champion", "version": "2"})
    post(port, "registered-models/create", {"name": "image-quality-model"})
    return model_id


def send_json(port: int, method: str, path: str, body: dict[str, Any]) -> None:
    answer = send(
        port, method, f"/api/2.0/mlflow/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    assert answer.status == 200, answer


def _pdf() -> bytes:
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length 40>>stream\nBT /F 24 Tf 40 100 Td (A report) Tj ET \nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj%b endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return content + b"xref\n0 6\n0000000000 65535 f \n%btrailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(content),
    )


if __name__ == "__main__":
    print(make_world(int(sys.argv[1])))
