"""Where something is said, and which channels have strangers in them."""

import pytest

from bot.slack.places import Place, is_shared


def test_a_direct_message_is_direct_and_a_group_is_not() -> None:
    assert Place("D1", "im", None).is_direct
    assert not Place("G1", "mpim", None).is_direct
    assert not Place("C1", "channel", None).is_direct


@pytest.mark.parametrize("flag", ["is_ext_shared", "is_pending_ext_shared", "is_org_shared"])
def test_a_channel_where_others_may_come_inis_shared(flag: str) -> None:
    assert is_shared({flag: True})
    assert not is_shared({flag: False})
    assert not is_shared({})
