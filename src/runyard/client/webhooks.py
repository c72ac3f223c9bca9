"""Webhooks of a server: made, changed, tried and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

from runyard.client.answers import Json
from runyard.client.connections import connect
from runyard.entities.base import PagedList
from runyard.entities.webhooks import Webhook, WebhookEvent, WebhookStatus, WebhookTestResult
from runyard.errors import EndpointNotFound, InvalidParameter, MethodNotAllowed, RunyardError
from runyard.wire.base import Empty, Response
from runyard.wire.names import shown

R = TypeVar("R", bound=Response)
_PATH: Final = "/api/2.0/mlflow/webhooks"


class _Answer(Response):
    webhook: Json


class _Answers(Response):
    webhooks: list[Json] = []
    next_page_token: str | None = None


class _Tried(Response):
    result: Json


class WebhookCalls:
    """What `MlflowClient` does with webhooks. Events are given as `WebhookEvent` or as text."""

    _registry_uri: str

    def create_webhook(
        self,
        name: str,
        url: str,
        events: Sequence[str | WebhookEvent],
        description: str | None = None,
        secret: str | None = None,
        status: str | WebhookStatus | None = None,
    ) -> Webhook:
        """Have a server tell an address of events; with ``secret`` it signs what it tells."""
        content = _set(name=name, url=url, events=events, description=description, secret=secret, status=status)
        return _webhook_of(self._ask("POST", "", content, _Answer).webhook)

    def get_webhook(self, webhook_id: str) -> Webhook:
        return _webhook_of(self._ask("GET", _below(webhook_id), None, _Answer).webhook)

    def list_webhooks(self, max_results: int | None = None, page_token: str | None = None) -> PagedList[Webhook]:
        """Return a page of the webhooks; its ``token`` asks for the next."""
        found = self._ask("GET", "", _set(max_results=max_results, page_token=page_token), _Answers)
        return PagedList([_webhook_of(each) for each in found.webhooks], found.next_page_token or None)

    def update_webhook(
        self,
        webhook_id: str,
        name: str | None = None,
        description: str | None = None,
        url: str | None = None,
        events: Sequence[str | WebhookEvent] | None = None,
        secret: str | None = None,
        status: str | WebhookStatus | None = None,
    ) -> Webhook:
        """Change a webhook; None leaves what is there."""
        content = _set(name=name, url=url, events=events, description=description, secret=secret, status=status)
        return _webhook_of(self._ask("PATCH", _below(webhook_id), content, _Answer).webhook)

    def delete_webhook(self, webhook_id: str) -> None:
        self._ask("DELETE", _below(webhook_id), None, Empty)

    def test_webhook(self, webhook_id: str, event: str | WebhookEvent | None = None) -> WebhookTestResult:
        """Have the server send an example of an event, by default of the webhook's first."""
        content = {} if event is None else {"event": _wire_of(event)}
        told = self._ask("POST", f"{_below(webhook_id)}/test", content, _Tried).result
        return WebhookTestResult(
            bool(told.get("success")),
            told.get("response_status") or None,
            told.get("response_body") or None,
            told.get("error_message") or None,
        )

    def _ask(self, method: str, path: str, content: Json | None, kind: type[R]) -> R:
        transport = connect(self._registry_uri)
        try:
            return transport.call(method, _PATH + path, content, kind)
        except (EndpointNotFound, MethodNotAllowed):
            raise RunyardError(f"{transport.uri} has no webhooks", "NOT_IMPLEMENTED") from None


def _set(
    *, events: Sequence[str | WebhookEvent] | None = None, status: str | WebhookStatus | None = None, **given: Any
) -> Json:
    content: Json = {name: value for name, value in given.items() if value is not None}
    if events is not None:
        content["events"] = [_wire_of(event) for event in events]
    if status is not None:
        try:
            content["status"] = WebhookStatus(status).value
        except ValueError:
            known = ", ".join(each.value for each in WebhookStatus)
            raise InvalidParameter(f"Invalid status {shown(status)} of a webhook: expected one of {known}") from None
    return content


def _wire_of(event: str | WebhookEvent) -> Json:
    event = WebhookEvent.from_str(event) if isinstance(event, str) else event
    return {"entity": event.entity.name, "action": event.action.name}


def _webhook_of(json: Json) -> Webhook:
    return Webhook(
        webhook_id=json["webhook_id"],
        name=json["name"],
        url=json["url"],
        events=[WebhookEvent(each["entity"].lower(), each["action"].lower()) for each in json["events"]],
        creation_timestamp=int(json.get("creation_timestamp", 0)),
        last_updated_timestamp=int(json.get("last_updated_timestamp", 0)),
        description=json.get("description") or None,
        status=json.get("status", "ACTIVE"),
    )


def _below(webhook_id: str) -> str:
    return f"/{quote(webhook_id, safe='')}"
