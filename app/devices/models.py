"""The table of devices: where each stands, what it is, and what its requests are verified with. Never who passed."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class DeviceKind(StrEnum):
    """The kinds of devices; what each may ask is in `MAY`."""

    GATE = "gate"
    SCANNER = "scanner"
    CARD_READER = "card-reader"
    THERMAL = "thermal"
    BUS = "bus"


class DeviceAct(StrEnum):
    """What a device may ask: a check by one of three proofs, a temperature, or checks made without network."""

    TOKEN = "token"  # noqa: S105  # a token is shown, and no secret
    PAPER = "paper"
    DOCUMENT = "document"
    TEMPERATURE = "temperature"
    BATCH = "batch"


MAY: Final[dict[DeviceKind, frozenset[DeviceAct]]] = {
    DeviceKind.GATE: frozenset(DeviceAct),
    DeviceKind.SCANNER: frozenset({DeviceAct.TOKEN, DeviceAct.PAPER, DeviceAct.BATCH}),
    DeviceKind.CARD_READER: frozenset({DeviceAct.DOCUMENT, DeviceAct.PAPER}),
    DeviceKind.THERMAL: frozenset({DeviceAct.TEMPERATURE}),
    DeviceKind.BUS: frozenset({DeviceAct.TOKEN, DeviceAct.PAPER, DeviceAct.BATCH}),
}


_IN_USE: Final = text("revoked_at is null")


class Device(Base):
    """A device in a lane of a station, until `revoked_at`.

    It has a public key that verifies its signatures, or, where it only speaks the shape of its maker (`shape`), a
    secret, encrypted. In a lane there is one of a kind at a time.
    """

    __tablename__ = "devices"
    __table_args__ = (Index("uq_devices_lane", "station_id", "lane", "kind", unique=True, postgresql_where=_IN_USE),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), index=True)
    lane: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(12))
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    shape: Mapped[str | None] = mapped_column(String(20))
    secret_ciphertext: Mapped[bytes | None]
    added_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
