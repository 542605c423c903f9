"""Messages as JSON objects that name their kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from engine.errors import MessageError
from engine.json_codec import JsonObject, from_json, shown, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance

MessageT = TypeVar("MessageT", bound="DataclassInstance")

PROTOCOL_VERSION = 5
"""Raised when a message changes in a way that the other side would not understand."""


class MessageKinds(Generic[MessageT]):
    """All kinds of message that go one way, by the name that their JSON object has under `tag`."""

    def __init__(self, tag: str, kinds: Mapping[str, type[MessageT]]) -> None:
        self._tag = tag
        self._kinds = kinds
        self._names = {cls: name for name, cls in kinds.items()}

    def to_json(self, message: MessageT) -> JsonObject:
        """`message` as a JSON object."""
        return {self._tag: self._names[type(message)], **to_json(message)}

    def from_json(self, data: JsonObject) -> MessageT:
        """The message that `to_json` made `data` from.

        Raises:
            MessageError: `data` is no message of these kinds.
        """
        fields = dict(data)
        name = fields.pop(self._tag, None)
        cls = self._kinds.get(name) if isinstance(name, str) else None
        if cls is None:
            known = ", ".join(self._kinds)
            raise MessageError(f"The {self._tag} must be one of {known}, not {shown(name)}.")
        return from_json(cls, fields)
