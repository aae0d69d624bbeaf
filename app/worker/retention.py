"""Deletion of what is past its retention days, in small transactions."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy.orm import Session

from app.appeals import retention
from app.citizens.document_checks import trail
from app.codes.paper import cards
from app.corrections import requests
from app.families import retention as families
from app.notifications import account_messages, subscriptions
from app.notifications.sms import reports
from app.privacy import retention as personal
from app.runtime import Services
from app.stations import alerts
from app.venues import retention as venues
from app.visits import exposures
from app.wechat.callbacks import capture, receipts

BATCH: Final = 500


def purge_callbacks(services: Services) -> None:
    """Delete old receipts, accepts and captures of WeChat's callbacks."""
    settings, now = services.settings.wechat.callbacks, services.clock.now()
    kept_from = now - timedelta(days=settings.retention_days)
    _delete_all(services, lambda session: receipts.purge(session, kept_from, BATCH))
    _delete_all(services, lambda session: subscriptions.purge(session, kept_from, BATCH))
    with services.begin() as session:
        capture.purge(session, now - timedelta(days=settings.capture_retention_days))


def purge_appeals(services: Services) -> None:
    """Delete the words and attachments of appeals that were resolved long ago."""
    _delete_all(services, lambda session: retention.delete_expired(session, services.clock.now(), BATCH))


def purge_personal_data(services: Services) -> None:
    """Delete what is past its time: visitors, sessions, places, checks by document, cards, look-ups, families,
    corrections, venues, numbers of text messages, follow-ups, alerts of checks, notices of exposure.
    """
    days = services.settings.document_checks.kept_days
    _delete_all(services, lambda session: trail.delete_old(session, services.clock.now(), days, BATCH))
    delete = personal.delete_visitors, personal.delete_staff_sessions, personal.delete_places, cards.delete_old
    _delete_all(services, lambda session: alerts.delete_old(session, services.policy, services.clock.now(), BATCH))
    of_families = families.delete_ended_ties, families.delete_invitations
    reports.delete_old(services, BATCH)
    _delete_all(services, lambda session: account_messages.delete_old(session, services.clock.now(), BATCH))
    ended = personal.delete_window_records, personal.delete_follow_ups, requests.delete_old, venues.delete_old
    for delete_batch in (*delete, *ended, *of_families, exposures.delete_old):
        _delete_all(services, partial(delete_batch, now=services.clock.now(), limit=BATCH))


def _delete_all(services: Services, delete_batch: Callable[[Session], int]) -> None:
    """Delete batches until one is not full."""
    deleted = BATCH
    while deleted >= BATCH:
        with services.begin() as session:
            deleted = delete_batch(session)
