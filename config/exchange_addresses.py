"""The addresses of the exchange's environments."""

from config.errors import WrongSetting
from kalshi.environments import PROXY_FORM, Environment, WrongAddress, is_proxy


def environment(
    name: str, *, api_base: tuple[str, str], ws_url: tuple[str, str], proxy: str | None = None
) -> Environment:
    """
    One environment of the exchange.

    Args:
        api_base, ws_url: the variable's name, and its text.
        proxy: as of `proxy`.

    Raises:
        WrongSetting: one of them is no address to send keys to.
    """
    variables = {"api_base": api_base, "ws_url": ws_url}
    try:
        return Environment(name, api_base=api_base[1], ws_url=ws_url[1], proxy=proxy)
    except WrongAddress as error:
        # Without its text, which may repeat the address.
        raise WrongSetting(
            f"{variables[error.field][0]} must be an address such as {error.example}, without user "
            "name, query and fragment; http:// and ws:// are for this machine only."
        ) from None


def proxy(name: str, text: str) -> str | None:
    """
    The proxy that leads to the exchange; None to go there directly.

    Raises:
        WrongSetting: it is none that we can use.
    """
    if not text:
        return None
    if not is_proxy(text):
        raise WrongSetting(f"{name} must read {PROXY_FORM}.")
    return text


def sandbox(*, api_base: tuple[str, str], ws_url: tuple[str, str]) -> Environment | None:
    """
    The local sandbox; None when neither address is set.

    Raises:
        WrongSetting: as `environment`, or one of them is missing.
    """
    if not api_base[1] and not ws_url[1]:
        return None
    for name, text in (api_base, ws_url):
        if not text:
            raise WrongSetting(f"{name} is missing: set both of the sandbox's addresses, or none.")
    return environment("sandbox", api_base=api_base, ws_url=ws_url)
