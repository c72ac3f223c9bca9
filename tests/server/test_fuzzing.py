"""Schemathesis sends requests to every operation of the OpenAPI document, good and bad; none may be our mistake."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from runyard.server.app import ENDPOINTS
from tests.object_stores import SeaweedFS
from tests.servers import ServerProcess


@pytest.mark.slow
@pytest.mark.cloud
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_no_request_that_the_document_allows_or_forbids_is_a_server_error(
    running_server: Callable[..., ServerProcess], request: pytest.FixtureRequest, database: str, s3: SeaweedFS
) -> None:
    uri = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    # In a bucket, for on a folder the answer to a multipart upload is that there is no such thing, which is a 501.
    server = running_server(uri, "--artifacts-destination", s3.new_root(), environment=s3.environment)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"),
        *("--checks", "not_a_server_error", "--phases", "examples,coverage,fuzzing", "--max-examples", "15"),
        *("--workers", "2", "--seed", "7", "--request-timeout", "20", "--warnings", "off", "--continue-on-failure"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
    assert "Traceback" not in server.log()
    # A document without operations would pass as well.
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested is not None, done.stdout
    assert int(tested[1]) > len(ENDPOINTS)
