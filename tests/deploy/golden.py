"""Write what the environments render, for `test_what_the_environments_render_is_as_it_was_looked_at`."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.deploy.tools import Document, render

FOLDER = Path(__file__).parent / "golden"


def to_look_at(name: str) -> list[Document]:
    """Return what an environment renders, but for the files of the chart, which are looked at as they are."""
    documents = []
    for document in render({}, "values.yaml", f"values-{name}.yaml").documents:
        if document["kind"] == "ConfigMap":
            document = {**document, "data": dict.fromkeys(document["data"], "a file of the chart")}
        elif document["kind"] == "PrometheusRule":
            names = [{"name": group["name"]} for group in document["spec"]["groups"]]
            document = {**document, "spec": {"groups": names}}
        documents.append(document)
    return documents


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in ("dev", "prod"):
        (FOLDER / f"{name}.yaml").write_text(yaml.safe_dump_all(to_look_at(name), sort_keys=False, width=120))
