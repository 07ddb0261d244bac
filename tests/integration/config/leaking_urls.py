"""Under /leak a view that fails with all kinds of secrets at hand."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.urls import path

KEYS = Path(__file__).resolve().parents[2] / "payloads/kalshi/keys"
PRIVATE_KEY = (KEYS / "rsa_pkcs8.pem").read_text()
DATABASE_PASSWORD = "it's a <long> & odd\\password"


@dataclass
class Holder:
    pasted: str


class Unprintable:
    def __repr__(self):
        raise ValueError(f"no repr for {PRIVATE_KEY}")


def connect(**parameters):
    address = f"host=db user=ada password={parameters['password']}"
    url = "postgres://ada:another-password@db/name"
    raise ValueError(f"cannot connect by {parameters} to {address} or {url}")


def leak(request):
    # Under names that tell nothing.
    text, encoded, held = PRIVATE_KEY, PRIVATE_KEY.encode(), Holder(PRIVATE_KEY)
    many, form = [{"a": (PRIVATE_KEY,)}], request.POST
    cookie, unprintable = request.COOKIES, Unprintable()
    signing, harmless = [settings.JWT_SECRET_KEY], "what one wants to see"
    try:
        connect(password=DATABASE_PASSWORD, host="db.example")
    except ValueError as error:
        error.add_note(f"with {text}")
        raise RuntimeError(
            f"gave up, {text!r}, {encoded!r}, {held}, {many}, {form}, {cookie}, {signing},"
            f" {request.headers}, {harmless}, {type(unprintable)}"
        ) from error


urlpatterns = [path("leak", leak)]
