"""The office without a language model: administration asks it nothing."""

import pytest

from tests.scenarios.conftest import Office


@pytest.fixture
def office(parrot_office: Office) -> Office:
    return parrot_office
