"""
Settings: one file, every value from the environment.

The process's environment wins over `.env`; `.env.example` lists each variable. A secret has no
default: without it every process stops and names it.
"""

from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from cryptography.fernet import Fernet, MultiFernet
from django.core.exceptions import ImproperlyConfigured

from kalshi.environments import PROXY_FORM, Environment, is_proxy
from postgres import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))

# Secrets

SECRET_KEY = env.str("SECRET_KEY")
JWT_SECRET_KEY = env.str("JWT_SECRET_KEY")
# Fernet keys: the first encrypts, all decrypt.
ENCRYPTION_SECRET_KEY = env.list("ENCRYPTION_SECRET_KEY")

for name in ("SECRET_KEY", "JWT_SECRET_KEY", "ENCRYPTION_SECRET_KEY"):
    if not globals()[name]:
        raise ImproperlyConfigured(f"{name} is empty; `make setup` writes a fresh one into .env")

try:
    MultiFernet([Fernet(key) for key in ENCRYPTION_SECRET_KEY])
except ValueError:
    # Without its cause, which may quote the key.
    raise ImproperlyConfigured(
        "ENCRYPTION_SECRET_KEY must be Fernet keys, comma-separated; `make setup` writes one"
    ) from None
if len(JWT_SECRET_KEY.encode()) < 32:
    raise ImproperlyConfigured("JWT_SECRET_KEY is too short; HS256 wants 32 bytes or more")

# Where people reach it

DEBUG = env.bool("DEBUG", default=False)
PORT = env.int("PORT", default=8000)
# Such as https://kalshi.home.example. None: loopback only, over http.
PUBLIC_ORIGIN = env.str("PUBLIC_ORIGIN", default="").rstrip("/") or None

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
COOKIES_SECURE = False
if PUBLIC_ORIGIN:
    _origin = urlsplit(PUBLIC_ORIGIN)
    if _origin.scheme not in ("http", "https") or not _origin.hostname or _origin.path:
        raise ImproperlyConfigured(
            "PUBLIC_ORIGIN must be a scheme and a host, such as https://kalshi.home.example"
        )
    if _origin.scheme == "http" and _origin.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ImproperlyConfigured(
            "PUBLIC_ORIGIN must be https: over http the session could be read on its way"
        )
    COOKIES_SECURE = _origin.scheme == "https"
    # Loopback stays allowed: health checks and the reverse proxy's own probes come from there.
    ALLOWED_HOSTS.append(_origin.hostname)
    CSRF_TRUSTED_ORIGINS = [PUBLIC_ORIGIN]

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = COOKIES_SECURE
# The session token has the name `session`; Django's own session serves the admin alone.
SESSION_COOKIE_NAME = "admin_session"
SESSION_COOKIE_PATH = "/admin/"
if COOKIES_SECURE:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
X_FRAME_OPTIONS = "DENY"

CSRF_FAILURE_VIEW = "config.refusals.csrf_failure"
# What DEBUG shows of an error.
DEFAULT_EXCEPTION_REPORTER = "config.error_reports.ErrorReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.error_reports.ReportFilter"

# Application

INSTALLED_APPS = [
    "accounts",
    "positions",
    "streaming",
    "sandbox",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "accounts.browser_rules.BrowserRulesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.refusals.RefusalsMiddleware",
    "config.static_files.StaticFilesMiddleware",
    "accounts.middleware.SessionCookieMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Open streams of one session, and of one web process.
STREAMS_PER_SESSION = env.int("STREAMS_PER_SESSION", default=20)
STREAMS_TOTAL = env.int("STREAMS_TOTAL", default=5000)

# Database

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
POSTGRES_DIR = env.path("POSTGRES_DIR", default=str(embedded.default_directory(BASE_DIR)))
if env.str("DATABASE_URL", default=""):
    DATABASES = {"default": env.db("DATABASE_URL")}
    if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        # Without the URL, which may hold a password.
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres://")
    DATABASES["default"]["ENGINE"] = "postgres.backend"
else:
    DATABASES = {"default": embedded.database(Path(str(POSTGRES_DIR)))}
# Streams outlive requests by hours: a connection kept for reuse would be one held for nothing.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# A server that does not answer is away, and said to be: nobody waits for the kernel to give up.
# How long web server and worker wait for it is in postgres/patience.py.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DATABASES["default"]["OPTIONS"].setdefault("tcp_user_timeout", 5000)

# The exchange

# To production and demo. No setting of Django's, as its value may hold a password.
_proxy = env.str("EXCHANGE_PROXY", default="") or None
if _proxy and not is_proxy(_proxy):
    raise ImproperlyConfigured(f"EXCHANGE_PROXY must read {PROXY_FORM}")

KALSHI_ENVIRONMENTS = {
    "production": Environment(
        name="production",
        api_base=env.str("KALSHI_API_BASE", default="https://external-api.kalshi.com/trade-api/v2"),
        ws_url=env.str("KALSHI_WS_URL", default="wss://external-api-ws.kalshi.com/trade-api/ws/v2"),
        proxy=_proxy,
    ),
    "demo": Environment(
        name="demo",
        api_base=env.str(
            "KALSHI_DEMO_API_BASE", default="https://external-api.demo.kalshi.co/trade-api/v2"
        ),
        ws_url=env.str(
            "KALSHI_DEMO_WS_URL", default="wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"
        ),
        proxy=_proxy,
    ),
}
if env.str("SANDBOX_API_BASE", default=""):
    KALSHI_ENVIRONMENTS["sandbox"] = Environment(
        name="sandbox",
        api_base=env.str("SANDBOX_API_BASE"),
        ws_url=env.str("SANDBOX_WS_URL"),
    )
# Where the local sandbox keeps its key.
SANDBOX_DIR = VAR_DIR / "sandbox"

# Figures

# What an open position is valued at: "bid" is what closing now would fetch.
MARK_PRICE = env.str("MARK_PRICE", default="bid")
if MARK_PRICE not in ("bid", "mid", "last"):
    raise ImproperlyConfigured(f"MARK_PRICE is {MARK_PRICE!r}; it must be bid, mid or last")
TRADING_DAY_TIMEZONE = ZoneInfo(env.str("TRADING_DAY_TIMEZONE", default="America/New_York"))

# Language, time, files

TIME_ZONE = "UTC"
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
# They are for our own pages; WhiteNoise would let every other origin read them.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_files.StaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"event": {"()": "config.logs.EventFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "event"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # One line a request says nothing that a proxy's log doesn't say better.
        "uvicorn.access": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "websockets": {"level": "WARNING"},
    },
}
