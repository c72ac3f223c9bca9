from __future__ import annotations

import asyncio
from pathlib import Path

from runyard.artifacts.store import open_store
from runyard.client.artifacts import StoredFolder


def test_files_move_where_an_event_loop_runs_already_as_in_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("text")
    folder = StoredFolder(open_store(str(tmp_path / "store")), "run")

    async def cell() -> list[str]:
        folder.upload(tmp_path / "source", "docs/a.txt", lambda _: None)
        folder.download("docs/a.txt", tmp_path / "back", lambda _: None)
        return [file.path for file in folder.list("docs")]

    assert asyncio.run(cell()) == ["docs/a.txt"]
    assert (tmp_path / "back").read_text() == "text"
