"""Tables of the citizens: the citizen behind a code, their account and their declarations.

Names, document numbers and phones are encrypted; a document is found by its keyed hash.
"""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Citizen(Base):
    """The citizen behind a serial. Without a name: recorded by officers by a document, not registered yet.

    While `erased_at` is set, all personal data is erased and only the keyed hash of the document is left.
    """

    __tablename__ = "citizens"
    __table_args__ = (
        Index(
            "uq_citizens_identity",
            "identity_fingerprint",
            unique=True,
            postgresql_where=text("identity_fingerprint is not null"),
        ),
        # of registered ones without: see `identities.add_missing`
        Index(
            "ix_citizens_without_identity",
            "serial",
            postgresql_where=text("name_ciphertext is not null and identity_fingerprint is null"),
        ),
    )

    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"), primary_key=True)
    document_type: Mapped[str] = mapped_column(String(30))
    document_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    document_fingerprint: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # see `lookup.hash_of`
    name_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    # of document and name of a registered one: see `document_checks.identities`
    identity_fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)


class FormerDocument(Base):
    """A document that a citizen had before a correction: who names it finds them, and nobody registers with it anew.

    As the keyed hash of a document it outlasts the erasure of the person; the number itself is not in it.
    """

    __tablename__ = "former_documents"

    document_fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("citizens.serial"), index=True)
    document_type: Mapped[str] = mapped_column(String(30))
    replaced_at: Mapped[datetime]


class Account(Base):
    """The log-in of a registered citizen: always by WeChat, and by user name and password once they have chosen them.

    `phone_proven_at`: when WeChat vouched for the phone of the account. `attested_at`: when a clerk at a service window
    had the document in hand. `registered_by`: the id of the WeChat user who registered, None where nobody did so there,
    and for accounts from before that was kept.
    """

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("(username is null) = (password_hash is null)", name="credentials"),)

    serial: Mapped[int] = mapped_column(ForeignKey("citizens.serial"), primary_key=True)
    username: Mapped[str | None] = mapped_column(String(32), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime]
    phone_proven_at: Mapped[datetime | None]
    registered_by: Mapped[int | None] = mapped_column(BigInteger)
    attested_at: Mapped[datetime | None]

    @property
    def is_vouched(self) -> bool:
        """Return whether WeChat's phone, or a document that a clerk saw, vouches for the holder."""
        return self.phone_proven_at is not None or self.attested_at is not None

    @property
    def opens_nothing(self) -> bool:
        """Return whether nobody can log in to the account: made at a service window or by a guardian, no password."""
        return self.registered_by is None and self.username is None


class DeclarationRow(Base):
    """A declaration and its consent; the facts for the rules are in the evidence with the same id.

    `assurance` is that of the claim under which it was made: see `codes.claims`.
    """

    __tablename__ = "declarations"
    __table_args__ = (
        PrimaryKeyConstraint("serial", "evidence_id"),
        ForeignKeyConstraint(["serial", "evidence_id"], ["evidence.serial", "evidence.id"]),
    )

    evidence_id: Mapped[str] = mapped_column(Uuid(as_uuid=False))
    serial: Mapped[int] = mapped_column(ForeignKey("citizens.serial"))
    declared_at: Mapped[datetime]
    symptoms: Mapped[list[str]] = mapped_column(ARRAY(String(30)))
    contact_on: Mapped[date | None]
    consent_version: Mapped[str] = mapped_column(String(20))
    outcome: Mapped[str] = mapped_column(String(20), default="waiting")
    assurance: Mapped[int] = mapped_column(SmallInteger, server_default="2")
