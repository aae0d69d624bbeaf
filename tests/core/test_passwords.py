"""Passwords: the cost of a hash in production and in the tests."""

from collections.abc import Iterator
from unittest.mock import patch

import argon2
import pytest

from app.core import passwords
from app.core.errors import Problem
from app.core.settings import PasswordSettings
from app.runtime import Services, make_services
from tests.support.settings import CHEAP


@pytest.fixture
def real_cost() -> Iterator[None]:
    """The cost of production, for these tests alone."""
    passwords.configure(PasswordSettings())
    yield
    passwords.configure(CHEAP)


@pytest.mark.usefixtures("real_cost")
def test_a_hash_costs_by_default_what_owasp_advises() -> None:
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    hashed = passwords.hash_password("a-long-Password-1")
    passwords.verify_password("a-long-Password-1", hashed)
    assert hashed.startswith("$argon2id$")
    assert not hasher.check_needs_rehash(hashed)


@pytest.mark.usefixtures("real_cost")
def test_who_makes_services_hashes_at_the_cost_of_their_settings(services: Services) -> None:
    assert services.settings.passwords == CHEAP
    make_services(services.settings).close()
    assert "$m=8,t=1,p=1$" in passwords.hash_password("a-long-Password-1")


@pytest.mark.usefixtures("real_cost")
@pytest.mark.parametrize("cost", [PasswordSettings(), CHEAP])
def test_a_name_without_an_account_costs_the_same_hash(cost: PasswordSettings) -> None:
    passwords.configure(cost)
    of_somebody, verify = passwords.hash_password("a-long-Password-1"), argon2.PasswordHasher.verify
    with patch.object(argon2.PasswordHasher, "verify", autospec=True, side_effect=verify) as verified:
        for password_hash in (of_somebody, None):
            with pytest.raises(Problem, match="wrong-credentials"):
                passwords.verify_password("another-Password-2", password_hash)
    given = [argon2.extract_parameters(call.args[1]) for call in verified.call_args_list]
    assert given == [argon2.extract_parameters(of_somebody)] * 2
