"""What no file of the repository may hold: a package registry's host, an address in a lock, a path of one machine."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Put together from parts, so that this file passes its own test.
REGISTRY_HOSTS = [
    f"{name}.{domain}"
    for name, domain in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb.debian", "org"),
        ("security.debian", "org"),
        ("ftp.debian", "org"),
    ]
]
MACHINE_PATH = re.compile(r"(?<![\w.])/" + r"(?:work|farm)/")
LOCK_NAME = re.compile(
    r"^(?:requirements/.*\.txt|(?:.*/)?(?:uv\.lock|poetry\.lock|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock))$"
)


def repository_files() -> list[Path]:
    """Return every file that is in the repository or would be added to it: not those that .gitignore names."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def text_of(path: Path) -> str | None:
    """Return a file's text, or None where it is no text."""
    content = path.read_bytes()
    return None if b"\0" in content else content.decode("utf-8", errors="replace")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The text of each text file, by its path from the root."""
    read = ((path.relative_to(ROOT).as_posix(), text_of(path)) for path in repository_files())
    return {path: text for path, text in read if text is not None}


def lines_with(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_the_files_are_found(texts: dict[str, str]) -> None:
    assert {"pyproject.toml", "LICENSE", "Makefile", "requirements/runtime.txt"} <= texts.keys()


def test_no_file_names_the_host_of_a_package_registry(texts: dict[str, str]) -> None:
    hosts = re.compile("|".join(re.escape(host) for host in REGISTRY_HOSTS), re.IGNORECASE)
    assert lines_with(hosts, texts) == []


def test_no_lock_file_holds_an_address(texts: dict[str, str]) -> None:
    locks = {path: text for path, text in texts.items() if LOCK_NAME.match(path)}
    expected = {
        "requirements/dev.txt",
        "requirements/mlflow-2.txt",
        "requirements/mlflow-3.txt",
        "ui/package-lock.json",
    }
    assert locks.keys() >= expected
    assert lines_with(re.compile(r"://|--index|--find-links|--extra-index"), locks) == []


def test_every_package_in_a_lock_of_ours_has_hashes(texts: dict[str, str]) -> None:
    for path, text in texts.items():
        if path.startswith("requirements/") and path.endswith(".txt"):
            for entry in re.findall(r"^[a-zA-Z].*?(?=^[a-zA-Z]|\Z)", text, re.MULTILINE | re.DOTALL):
                assert "==" in entry.splitlines()[0], f"{path} does not pin {entry.splitlines()[0]}"
                assert "--hash=sha256:" in entry, f"{path} has no hash for {entry.splitlines()[0]}"


def test_every_package_of_the_ui_has_a_hash(texts: dict[str, str]) -> None:
    packages = json.loads(texts["ui/package-lock.json"])["packages"]
    bare = [name for name, package in packages.items() if name and not package.get("integrity", "").startswith("sha")]
    assert bare == []


def test_no_file_holds_a_path_of_the_machine_it_was_written_on(texts: dict[str, str]) -> None:
    assert lines_with(MACHINE_PATH, texts) == []


def test_every_test_that_the_documentation_names_is_there(texts: dict[str, str]) -> None:
    tests = {
        name
        for path, text in texts.items()
        if path.startswith("tests/") and path.endswith(".py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", texts["docs/compatibility.md"]))
    assert named
    assert named - tests == set()


def test_every_file_that_a_page_links_to_is_there(texts: dict[str, str]) -> None:
    broken = [
        f"{path}: {target}"
        for path, text in texts.items()
        if path.endswith(".md")
        for target in re.findall(r"\]\(([^)#:]+)\)", text)
        if not (ROOT / path).parent.joinpath(target).exists()
    ]
    assert broken == []
