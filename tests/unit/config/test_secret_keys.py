import base64
import random

import pytest
from cryptography.fernet import Fernet

from config.environment_file import fresh_secrets
from config.errors import WrongSetting
from config.secret_keys import LEAST_BITS, estimated_bits, secret_keys

GOOD = {
    "SECRET_KEY": "0f-KVu2ZcMtcw1Jq9b8vWkXr5nSdYh3TgLpEaQ7RzBmCxUiOy6",
    "JWT_SECRET_KEY": "hT4_qLw8ZbN1xVr6KcYp3MsGd9JfRa2e",
    "ENCRYPTION_SECRET_KEY": "q3TqXG7fJQ0m1t9b0c1uXzv7J1d2s5yK8WnRp4LhVfE=",
}


def fernet(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


def test_good_secrets_are_taken_as_they_are():
    found = secret_keys(GOOD)

    assert (found.django, found.token) == (GOOD["SECRET_KEY"], GOOD["JWT_SECRET_KEY"])
    assert found.encryption == [GOOD["ENCRYPTION_SECRET_KEY"]]


def test_fresh_secrets_always_pass():
    tried = [secret_keys(fresh_secrets()) for _ in range(2000)]

    assert len(tried) == 2000


def test_secrets_are_not_shown():
    shown = repr(secret_keys(GOOD))

    assert shown == "SecretKeys()"


def test_encryption_keys_keep_their_order_and_may_repeat():
    newer, older = Fernet.generate_key().decode(), Fernet.generate_key().decode()

    found = secret_keys(GOOD | {"ENCRYPTION_SECRET_KEY": f"{newer}, {older},,{newer}"})

    assert found.encryption == [newer, older, newer]


def test_all_missing_secrets_are_named_at_once_with_the_remedy():
    texts = dict.fromkeys(GOOD, "")

    with pytest.raises(WrongSetting) as refusal:
        secret_keys(texts)

    assert str(refusal.value) == (
        "SECRET_KEY, JWT_SECRET_KEY, ENCRYPTION_SECRET_KEY are missing: `make setup` writes a .env "
        "with fresh secrets where there is none."
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "  "),
        ("JWT_SECRET_KEY", ""),
        ("ENCRYPTION_SECRET_KEY", ""),
        ("ENCRYPTION_SECRET_KEY", ", ,"),
    ],
)
def test_missing_secret_is_named_alone(name, text):
    with pytest.raises(WrongSetting, match=f"^{name} is missing: `make setup`"):
        secret_keys(GOOD | {name: text})


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("changeme" * 8, id="a word repeated"),
        pytest.param("hunter2-" * 10, id="another"),
        pytest.param("0123456789" * 6, id="a run repeated"),
        pytest.param("abcdefghijklmnopqrstuvwxyz" * 2, id="the alphabet"),
        pytest.param("zyxwvutsrqponmlkjihgfedcba9876543210ZYXWVUTSRQPONMLKJIHG", id="backwards"),
        pytest.param("qwertyuiop" * 6, id="a row of the keyboard"),
        pytest.param("-" * 60, id="one character"),
        pytest.param("ab" * 30, id="two characters"),
        pytest.param("aabbabbababaabbbabaaabababbabbbaabaababbbbabaaaabab", id="two, mixed"),
        pytest.param("password" * 7 + "!", id="with a sign at the end"),
    ],
)
def test_secret_that_can_be_guessed_is_refused_unseen(name, text):
    with pytest.raises(WrongSetting, match=f"^{name} can be guessed; .*token_urlsafe") as refusal:
        secret_keys(GOOD | {name: text})

    assert text not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SECRET_KEY", GOOD["SECRET_KEY"][:49]),
        ("SECRET_KEY", "django-insecure-" + GOOD["SECRET_KEY"]),
        ("JWT_SECRET_KEY", GOOD["JWT_SECRET_KEY"][:31]),
    ],
    ids=["short for Django", "Django's placeholder", "short for HS256"],
)
def test_secret_of_the_wrong_make_is_refused_unseen(name, text):
    with pytest.raises(WrongSetting, match=f"^{name} must have") as refusal:
        secret_keys(GOOD | {name: text})

    assert text not in str(refusal.value)


def test_one_secret_for_two_purposes_is_refused():
    with pytest.raises(WrongSetting, match="JWT_SECRET_KEY must differ from SECRET_KEY"):
        secret_keys(GOOD | {"JWT_SECRET_KEY": GOOD["SECRET_KEY"]})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("not a key", id="words"),
        pytest.param("é" * 43 + "=", id="not ASCII"),
        pytest.param(fernet(bytes(range(31))), id="a byte short"),
        pytest.param(f"{GOOD['ENCRYPTION_SECRET_KEY']},not a key", id="the second"),
    ],
)
def test_what_is_no_fernet_key_is_refused_unseen(text):
    with pytest.raises(WrongSetting, match=r"^ENCRYPTION_SECRET_KEY must be Fernet") as refusal:
        secret_keys(GOOD | {"ENCRYPTION_SECRET_KEY": text})

    assert text not in str(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(bytes(32), id="all zero"),
        pytest.param(b"\xff" * 32, id="all the same"),
        pytest.param(b"\x01\x02" * 16, id="two bytes"),
        pytest.param(random.Random(1).choices(b"abc", k=32), id="three bytes, mixed"),
        pytest.param(range(32), id="a run"),
        pytest.param(b"changeme" * 4, id="a word repeated"),
    ],
)
def test_fernet_key_that_can_be_guessed_is_refused(key):
    keys = f"{GOOD['ENCRYPTION_SECRET_KEY']},{fernet(bytes(key))}"

    with pytest.raises(WrongSetting, match=r"^ENCRYPTION_SECRET_KEY holds a key that can be"):
        secret_keys(GOOD | {"ENCRYPTION_SECRET_KEY": keys})


@pytest.mark.parametrize(
    ("secret", "bits"),
    [
        (b"", 0),
        (b"aaaaaaaa", 0),
        # a, b, and the step from the one to the other; then a run.
        (b"abcdefgh", 2 * 3),
        # a, b, ba; then aba and bab were there before.
        (b"abababab", 4 * 1),
        # Eight choices among eight, then the two that the repetition is not seen in yet.
        (b"adhgckfm" * 4, 10 * 3),
    ],
)
def test_estimate_counts_what_does_not_follow_from_before(secret, bits):
    assert estimated_bits(secret) == bits


def test_usual_random_secrets_are_far_above_the_limit():
    generator = random.Random(2)
    estimates = [
        estimated_bits(secret)
        for _ in range(2000)
        for secret in (generator.randbytes(32), generator.randbytes(32).hex().encode())
    ]

    assert min(estimates) > 1.5 * LEAST_BITS
