"""Write what the environments render, for `test_what_the_environments_render_is_as_it_was_looked_at`."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.deploy.tools import render

FOLDER = Path(__file__).parent / "golden"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in ("dev", "prod"):
        documents = render({}, "values.yaml", f"values-{name}.yaml").documents
        (FOLDER / f"{name}.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False, width=120))
