"""The Spanish README says what the English one says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENGLISH = (ROOT / "README.md").read_text()
SPANISH = (ROOT / "README.es.md").read_text()


def test_its_commands_and_code_are_the_same() -> None:
    blocks = re.findall(r"```(?:console|python|sh)\n.*?```", SPANISH, re.DOTALL)
    assert blocks
    assert [block for block in blocks if block not in ENGLISH] == []


def test_its_figures_are_the_same() -> None:
    figures = set(re.findall(r"\d[\d,.]*\d|\d", re.sub(r"```.*?```|\]\([^)]*\)|`[^`]*`", "", SPANISH, flags=re.DOTALL)))
    assert {"6,200", "84", "3.6", "2.3"} <= figures
    assert {figure for figure in figures if figure not in ENGLISH} == set()


def test_each_names_the_other() -> None:
    assert "](README.es.md)" in ENGLISH
    assert "](README.md)" in SPANISH
