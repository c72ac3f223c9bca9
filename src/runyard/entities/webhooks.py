"""Webhooks: addresses that a server tells what happens in its model registry."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from typing_extensions import Self

from runyard.entities.base import Entity
from runyard.errors import InvalidParameter


class _Word(str, Enum):
    def __str__(self) -> str:
        return str(self.value)


class WebhookStatus(_Word):
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"

    def is_active(self) -> bool:
        return self is WebhookStatus.ACTIVE


class WebhookEntity(_Word):
    """What an event is about."""

    REGISTERED_MODEL = "registered_model"
    MODEL_VERSION = "model_version"
    MODEL_VERSION_TAG = "model_version_tag"
    MODEL_VERSION_ALIAS = "model_version_alias"
    PROMPT = "prompt"
    PROMPT_VERSION = "prompt_version"
    PROMPT_TAG = "prompt_tag"
    PROMPT_VERSION_TAG = "prompt_version_tag"
    PROMPT_ALIAS = "prompt_alias"
    BUDGET_POLICY = "budget_policy"


class WebhookAction(_Word):
    """What became of it."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    SET = "set"
    EXCEEDED = "exceeded"


_MADE: Final = (WebhookAction.CREATED,)
_TAGGED: Final = (WebhookAction.DELETED, WebhookAction.SET)
_NAMED: Final = (WebhookAction.CREATED, WebhookAction.DELETED)
_ACTIONS: Final = {
    WebhookEntity.REGISTERED_MODEL: _MADE,
    WebhookEntity.MODEL_VERSION: _MADE,
    WebhookEntity.MODEL_VERSION_TAG: _TAGGED,
    WebhookEntity.MODEL_VERSION_ALIAS: _NAMED,
    WebhookEntity.PROMPT: _MADE,
    WebhookEntity.PROMPT_VERSION: _MADE,
    WebhookEntity.PROMPT_TAG: _TAGGED,
    WebhookEntity.PROMPT_VERSION_TAG: _TAGGED,
    WebhookEntity.PROMPT_ALIAS: _NAMED,
    WebhookEntity.BUDGET_POLICY: (WebhookAction.EXCEEDED,),
}


class WebhookEvent:
    """Something that a webhook is told of, such as ``model_version.created``."""

    def __init__(self, entity: str | WebhookEntity, action: str | WebhookAction) -> None:
        """Raises: InvalidParameter: there is no such event."""
        try:
            self.entity, self.action = WebhookEntity(entity), WebhookAction(action)
            is_known = self.action in _ACTIONS[self.entity]
        except ValueError:
            is_known = False
        if not is_known:
            raise InvalidParameter(f"there is no event {f'{entity}.{action}'!r} of webhooks; there are {_EVENTS}")

    @classmethod
    def from_str(cls, event_str: str) -> Self:
        """Return the event of that name; raise InvalidParameter where there is none."""
        entity, _, action = event_str.partition(".")
        return cls(entity, action)

    def __str__(self) -> str:
        return f"{self.entity}.{self.action}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WebhookEvent) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"WebhookEvent(entity={self.entity}, action={self.action})"


_EVENTS: Final = ", ".join(f"{entity}.{action}" for entity, actions in _ACTIONS.items() for action in actions)


class Webhook(Entity):
    def __init__(
        self,
        webhook_id: str,
        name: str,
        url: str,
        events: Sequence[WebhookEvent],
        creation_timestamp: int,
        last_updated_timestamp: int,
        description: str | None = None,
        status: str | WebhookStatus = WebhookStatus.ACTIVE,
        secret: str | None = None,
        workspace: str | None = None,
    ) -> None:
        if not events:
            raise InvalidParameter("a webhook is of at least one event: Webhook events cannot be empty")
        self.webhook_id = webhook_id
        self.name = name
        self.url = url
        self.events = list(events)
        self.creation_timestamp = creation_timestamp
        self.last_updated_timestamp = last_updated_timestamp
        self.description = description
        self.status = WebhookStatus(status)
        self.secret = secret
        self.workspace = workspace or "default"

    def __repr__(self) -> str:
        # Without the secret, which is not to be in a log.
        told = ", ".join(f"{name}={value!r}" for name, value in self if name != "secret")
        return f"<Webhook: {told}>"


class WebhookTestResult(Entity):
    """What came of an event that was sent to try a webhook."""

    # pytest would take its name for that of a class of tests.
    __test__ = False

    def __init__(
        self,
        success: bool,
        response_status: int | None = None,
        response_body: str | None = None,
        error_message: str | None = None,
    ) -> None:
        self.success = success
        self.response_status = response_status
        self.response_body = response_body
        self.error_message = error_message
