"""Every way of showing a Secret gives a mask; every way of using it gives the value."""

from __future__ import annotations

import copy
import logging
import pickle
import pprint
import traceback

import pytest

from django_flowlix.api.secret import Secret

VALUE = "_".join(["fl", "live", "sk", "Tr0ub4dor"])


@pytest.fixture
def secret() -> Secret:
    return Secret(VALUE)


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        format,
        pprint.pformat,
        "{}".format,
        "{!r}".format,
        "{:>60}".format,
        "%s".__mod__,
        "%r".__mod__,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!s}",
        lambda secret: f"{secret:40}",
        lambda secret: str([secret]) + str({"k": secret}) + str((secret,)),
        lambda secret: str(ValueError(secret)) + repr(ValueError(secret)),
        lambda secret: "".join(traceback.format_exception_only(KeyError(secret))),
        lambda secret: str(copy.copy(secret)) + repr(copy.deepcopy({"k": secret})),
    ],
)
def test_l1_no_way_of_showing_it_shows_it(show, secret):
    assert "Tr0ub4dor" not in show(secret)
    assert "****" in show(secret)


def test_l1_a_log_record_shows_the_mask(secret, caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("any").debug("key %s and %r", secret, {"key": secret})
    assert caplog.messages == ["key fl_live_sk_**** and {'key': 'fl_live_sk_****'}"]


def test_the_mask_keeps_the_prefix_of_a_key_and_nothing_of_other_texts(secret):
    assert str(secret) == "fl_live_sk_****"
    assert str(Secret("whsec_" + "a1b2")) == "whsec_****"
    assert str(Secret('{"amount":1}')) == "****"
    assert str(Secret("")) == "****"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_l2_it_cannot_be_pickled(protocol, secret):
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps({"key": secret}, protocol)


def test_it_is_used_like_the_text_it_is(secret):
    assert secret == VALUE
    assert hash(secret) == hash(VALUE)
    assert secret.encode() == VALUE.encode()
    assert "Bearer " + secret == "Bearer " + VALUE
    assert secret.startswith("fl_live_sk_")


def test_the_plain_value_is_a_plain_text(secret):
    assert type(secret.reveal()) is str
    assert secret.reveal() == VALUE


def test_wrapping_twice_keeps_the_value(secret):
    assert Secret(secret).reveal() == VALUE
    assert copy.deepcopy(secret).reveal() == VALUE
