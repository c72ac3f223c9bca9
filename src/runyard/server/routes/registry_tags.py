"""The rules for tags of registered models and of their versions."""

from __future__ import annotations

from collections.abc import Iterable

from runyard.wire.base import Tag, TagInput
from runyard.wire.names import (
    MAX_REGISTRY_TAG_KEY_LENGTH,
    MAX_REGISTRY_TAG_VALUE_LENGTH,
    check_key,
    check_length,
)


def checked_tag(key: str, value: str | None) -> Tag:
    """Return the tag; raise InvalidParameter where its key or value breaks a rule."""
    text = value or ""
    check_key("key", key)
    check_length("key", key, MAX_REGISTRY_TAG_KEY_LENGTH)
    check_length("value", text, MAX_REGISTRY_TAG_VALUE_LENGTH)
    return Tag(key, text)


def checked_tags(tags: Iterable[TagInput] | None) -> list[Tag]:
    return [checked_tag(tag.key, tag.value) for tag in tags or ()]
