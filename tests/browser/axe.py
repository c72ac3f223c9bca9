"""What axe, the accessibility checker, says of a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"


def complaints_of_axe(page: Page) -> list[str]:
    """Return a line for each element that breaks a rule of WCAG 2.1 A or AA, or a best practice."""
    # As the developer's tools would, so that the page's policy, which forbids foreign scripts, stands as it is.
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
