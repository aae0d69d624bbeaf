"""Invented health officers, one for each role and a second administrator, to try the console. Refused in production.

Everybody may know their password and the secret of their authenticator: there is nothing to protect.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app.core.errors import ConfigError
from app.core.passwords import hash_password
from app.runtime import Services
from app.staff import officers, totp
from app.staff.context import OPERATOR, begin_as
from app.staff.models import Officer, Role, Window
from app.staff.officers import NewOfficer
from app.windows import administration
from app.windows.administration import NewWindow
from devstack.people import PASSWORD

SECRET = "JIXIANGDEMO2JIXIANGDEMO2JIXIANG2"
OFFICERS = {
    "demo-recorder": ("示例录入员", Role.RECORDER, "长春市"),
    "demo-approver": ("示例审批员", Role.APPROVER, "长春市"),
    "demo-appeals": ("示例纠错受理员", Role.APPEALS, None),  # sees also what no district has proposed
    "demo-auditor": ("示例审计员", Role.AUDITOR, None),
    "demo-administrator": ("示例管理员", Role.ADMINISTRATOR, None),
    "demo-administrator-2": ("示例管理员乙", Role.ADMINISTRATOR, None),  # sets the password of whom the other has added
    "demo-clerk": ("示例窗口员", Role.CLERK, "长春市"),
}
WINDOW = NewWindow("示例政务大厅服务窗口", "示例路 1 号，一楼 3 号窗口", "长春市")


def make_demo_officers(services: Services) -> str:
    """Make whoever is missing; returns how to log in now, for people to read. Raises ConfigError in production."""
    invented = {username: (name, (role,), district) for username, (name, role, district) in OFFICERS.items()}
    add_invented(services, invented)
    open_demo_window(services, "demo-clerk")
    code = totp.code_at(SECRET, services.real_clock.now())
    return (
        f"Officers: {' · '.join(OFFICERS)}\n"
        f"Password of all: {PASSWORD}   One-time code of now: {code}\n"
        f"Secret of their authenticators: {SECRET}"
    )


def open_demo_window(services: Services, *clerks: str) -> None:
    """Have these clerks work at an invented service window."""
    with begin_as(services, OPERATOR) as context:
        window = context.session.scalar(select(Window).filter_by(name=WINDOW.name))
        window = window or administration.add_window(context, WINDOW)
        for username in clerks:
            administration.assign_clerk(context, window.id, username)


def add_invented(services: Services, invented: Mapping[str, tuple[str, Sequence[Role], str | None]]) -> None:
    """Add whoever is missing: by user name the name, the roles and the district. Raises ConfigError in production.

    Everybody knows both their credentials, which no one person gives an officer: the password is set past the rule.
    """
    if services.settings.environment == "production":
        raise ConfigError("Invented officers have no place in production.")
    with begin_as(services, OPERATOR) as context:
        there = set(context.session.scalars(select(Officer.username)))
        for username, (name, roles, district) in invented.items():
            if username not in there:
                new = NewOfficer(username, name, roles, district, secret=SECRET)
                officer, _ = officers.add_officer(context, new)
                officer.password_hash, officer.must_change_password = hash_password(PASSWORD), False
                officer.password_ends_at = None
