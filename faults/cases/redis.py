"""Faults of Redis: it takes no writes, comes back older or empty, goes back in time, or is another one."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from faults.rounds import Case
from faults.system import System
from faults.valkey import FaultyValkey


@contextmanager
def read_only(system: System, number: int) -> Iterator[None]:
    """A replica of nobody who can be reached, as after a failover that went wrong."""
    system.valkey.become_read_only()
    try:
        yield
    finally:
        system.valkey.be_promoted()


@contextmanager
def full(system: System, number: int) -> Iterator[None]:
    """No write fits into its memory, and nothing may be evicted."""
    system.valkey.become_full()
    try:
        yield
    finally:
        system.valkey.have_room()


@contextmanager
def older(system: System, number: int) -> Iterator[None]:
    """It crashes after the acts, and comes back with what it had before them."""
    system.valkey.admin.save()
    yield
    system.valkey.crash()
    system.valkey.start()


@contextmanager
def back_in_time(system: System, number: int) -> Iterator[None]:
    """It goes on from an older image of its memory, without a restart, as a virtual machine does."""
    image = system.valkey.image()
    yield
    system.valkey.go_on_from(image)


@contextmanager
def promoted(system: System, number: int) -> Iterator[None]:
    """A standby that has missed the acts takes the address of the primary, which dies."""
    standby = FaultyValkey(system.place.directory / f"valkey-{uuid4().hex[:8]}")
    standby.follow(system.valkey)
    standby.become_read_only()  # the link breaks here
    yield
    standby.take_over(system.valkey)
    system.valkey = standby


@contextmanager
def killed(system: System, number: int) -> Iterator[None]:
    """It is gone while people act, and comes back empty."""
    system.valkey.crash()
    system.valkey.forget()
    yield
    system.valkey.start()


CASES = (
    Case("redis-read-only", read_only, is_harmless=True),
    Case("redis-full", full, is_harmless=True),
    Case("redis-older", older, is_harmless=True),
    Case("redis-back-in-time", back_in_time, is_harmless=True, act_seconds=4),
    Case("redis-promoted", promoted, is_harmless=True),
    Case("redis-killed", killed, is_harmless=True),
)
