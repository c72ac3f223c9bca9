from __future__ import annotations

from pathlib import Path

from benchmarks.results import put


def test_each_part_is_written_anew_by_its_command_alone(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    put("Speed", "slow\n\n## sqlite\n\nslower", path)
    put("Weight", "light", path)
    put("Speed", "fast\n", path)
    assert path.read_text(encoding="utf-8") == "# Speed\n\nfast\n\n# Weight\n\nlight\n"
