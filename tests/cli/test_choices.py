"""What options take is what the code knows, and what else is given is refused before anything is asked."""

import pytest
from click.testing import CliRunner

from app.audit.log import AccessReason
from app.citizens.documents import DocumentType
from app.cli import main
from app.cli.evidence import choices
from app.cli.stations.devices import DEVICE_KINDS
from app.devices.models import DeviceKind
from app.entries.content import EntryKind

GIVEN_BY_THE_SYSTEM = {AccessReason.SIGNING, AccessReason.WINDOW, AccessReason.VENUE}


def test_the_choices_are_those_of_the_code() -> None:
    assert list(choices.ENTRY_KINDS.choices) == list(EntryKind)
    assert list(choices.DOCUMENT_TYPES.choices) == list(DocumentType)
    assert set(choices.ACCESS_REASONS.choices) == set(AccessReason) - GIVEN_BY_THE_SYSTEM
    assert list(DEVICE_KINDS.choices) == list(DeviceKind)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("evidence record --document-number x --authority a --reference b --officer o --kind isolation", "--kind"),
        ("rules explain --serial 1 --officer o --reason any", "--reason"),
        ("rules explain --document-type card --officer o --reason appeal", "--document-type"),
    ],
)
def test_what_is_no_choice_is_refused_before_a_password_is_asked_for(command: str, option: str) -> None:
    refused = CliRunner(env={"LANG": "zh_CN.UTF-8"}).invoke(main, command.split())
    assert refused.exit_code == 2
    assert option in refused.output and "密码" not in refused.output
