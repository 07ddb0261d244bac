"""Who may read the metrics, and where a worker tells its own."""

from ipaddress import ip_address

from config.errors import WrongSetting
from config.secret_keys import LEAST_BITS, estimated_bits

LEAST_CHARACTERS = 20
FRESH = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"


def token(name: str, text: str) -> str | None:
    """
    The bearer token; None if empty: only this machine itself may read them.

    Raises:
        WrongSetting: it can be guessed, or can't stand in a header.
    """
    if not text:
        return None
    # RFC 6750, section 2.1, without its padding.
    if not text.isascii() or not all(each.isalnum() or each in "-._~+/=" for each in text):
        raise WrongSetting(f"{name} must be letters, digits and -._~+/= alone.")
    if len(text) < LEAST_CHARACTERS or estimated_bits(text.encode()) < LEAST_BITS:
        raise WrongSetting(f"{name} can be guessed; a fresh one is printed by: {FRESH}")
    return text


def host(name: str, text: str, *, has_token: bool) -> str:
    """
    The address that a worker's metrics are told at.

    Raises:
        WrongSetting: it is none, or others than this machine could read them without a token.
    """
    try:
        address = ip_address(text.strip())
    except ValueError:
        raise WrongSetting(f"{name} must be an IP address, such as 127.0.0.1.") from None
    if not address.is_loopback and not has_token:
        raise WrongSetting(
            f"{name} must be a loopback address while METRICS_TOKEN is not set: else the network "
            "could read the metrics."
        )
    return str(address)
