"""Webhooks by our client, on an upstream server that has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat.conftest import CompatServer
from tests.compat.test_workspaces import run

SESSION = """
import mlflow
from mlflow import MlflowClient
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException

client = MlflowClient()
versions = WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED)
made = client.create_webhook("first", "https://93.184.216.34/hook", ["registered_model.created", versions], "what for")
assert set(made.events) == {WebhookEvent.from_str("registered_model.created"), versions}, made.events
assert (made.name, made.status, made.description) == ("first", WebhookStatus.ACTIVE, "what for")
read = client.get_webhook(made.webhook_id)
assert (read.name, read.url, read.creation_timestamp) == (made.name, made.url, made.creation_timestamp)
changed = client.update_webhook(made.webhook_id, name="second", status="DISABLED", events=[versions])
assert (changed.name, changed.status.is_active(), changed.events) == ("second", False, [versions])
client.create_webhook("third", "https://93.184.216.34/hook", [versions])
page = client.list_webhooks(max_results=1)
rest = client.list_webhooks(page_token=page.token)
assert sorted(each.name for each in [*page, *rest]) == ["second", "third"]
for each in [*page, *rest]:
    client.delete_webhook(each.webhook_id)
assert client.list_webhooks() == [] and not client.list_webhooks().token
for wrong in (
    lambda: client.get_webhook(made.webhook_id),
    lambda: client.create_webhook("x", "https://93.184.216.34/hook", ["model_version.set"]),
    lambda: client.create_webhook("x", "https://93.184.216.34/hook", []),
):
    try:
        wrong()
        raise SystemExit("it was to be refused")
    except MlflowException:
        pass
"""


@pytest.mark.compat
@pytest.mark.parametrize("client", ["client", "mlflow-3"])
def test_webhooks_are_made_changed_and_deleted(client: str, upstream_server: CompatServer, tmp_path: Path) -> None:
    run(SESSION, client, upstream_server.process.url, tmp_path)


@pytest.mark.compat
@pytest.mark.parametrize("compat_server", ["sqlite"], indirect=True)
def test_a_server_without_webhooks_is_told(compat_server: CompatServer, tmp_path: Path) -> None:
    program = """
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
try:
    MlflowClient().list_webhooks()
    raise SystemExit("there are none")
except MlflowException as error:
    assert error.error_code == "NOT_IMPLEMENTED", error.error_code
"""
    run(program, "client", compat_server.process.url, tmp_path)
