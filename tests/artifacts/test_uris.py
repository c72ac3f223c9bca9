from __future__ import annotations

from pathlib import Path

import pytest

from runyard.artifacts.uris import check_artifact_location, check_artifact_path, join_uri, local_path, proxied_path
from runyard.errors import InvalidParameter


@pytest.mark.parametrize(
    "root, parts, joined",
    [
        ("mlflow-artifacts:/", ("0",), "mlflow-artifacts:/0"),
        ("mlflow-artifacts:/0", ("r", "artifacts"), "mlflow-artifacts:/0/r/artifacts"),
        ("s3://bucket/prefix/", ("1",), "s3://bucket/prefix/1"),
        ("/data", ("1", "r"), "/data/1/r"),
        ("file:///data", ("1",), "file:///data/1"),
        ("mlflow-artifacts://host:5000/", ("2",), "mlflow-artifacts://host:5000/2"),
    ],
)
def test_a_root_is_joined_with_what_is_below_it(root: str, parts: tuple[str, ...], joined: str) -> None:
    assert join_uri(root, *parts) == joined


def test_a_relative_root_becomes_absolute() -> None:
    assert join_uri("./mlruns", "1") == f"{Path.cwd()}/mlruns/1"


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "%2e%2e/x",
        "a/%2e%2e/%2e%2e/x",
        "%252e%252e%252fx",
        "..%2fx",
        "..%5cx",
        "a\\..\\x",
        "/etc/passwd",
        "%2fetc/passwd",
        "//host/x",
        "C:/x",
        "c%3a/x",
        "\\x",
        "a\x00b",
        "a\nb",
        "file:///etc/passwd",
        "n" * 256,
        "a/" * 3000,
    ],
)
def test_a_path_that_climbs_out_or_is_no_name_is_refused(path: str) -> None:
    with pytest.raises(InvalidParameter, match="path"):
        check_artifact_path(path)


@pytest.mark.parametrize(
    "path, normal",
    [
        ("", ""),
        (".", ""),
        ("a//b/", "a/b"),
        ("./a/./b", "a/b"),
        ("a..b", "a..b"),
        ("...", "..."),
        ("100%", "100%"),
        ("a%00b.png", "a%00b.png"),
    ],
)
def test_other_paths_are_put_in_normal_form(path: str, normal: str) -> None:
    assert check_artifact_path(path) == normal


@pytest.mark.parametrize("uri", ["s3://b/../x", "/a/%2e%2e/b", "s3://b/#x", "s3://b/x\x00"])
def test_a_location_that_climbs_out_or_has_a_fragment_is_refused(uri: str) -> None:
    with pytest.raises(InvalidParameter, match="artifact_location"):
        check_artifact_location(uri)


def test_a_proxied_uri_points_below_the_servers_own_artifacts() -> None:
    assert proxied_path("mlflow-artifacts:/1/r/artifacts") == "1/r/artifacts"
    assert proxied_path("mlflow-artifacts://host:5000/1/r") == "1/r"


def test_only_files_and_bare_paths_are_local() -> None:
    assert local_path("file:///a%20b") == Path("/a b")
    assert local_path("/a") == Path("/a")
    assert local_path("s3://b/x") is None
