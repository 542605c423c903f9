"""The kinds of devices, for who reckons with one without having it. No torch here."""

from __future__ import annotations

from enum import Enum


class DeviceKind(Enum):
    """What networks run on: U-Nets are float32 on the one and float16 on the other."""

    CPU = 4
    GRAPHICS_CARD = 2

    @property
    def unet_item_bytes(self) -> int:
        """Bytes of a number in a U-Net."""
        return self.value
