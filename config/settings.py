"""
Settings: one file, every value from the environment.

The process's environment wins over `.env`; `.env.example` lists each variable. A secret has no
default. Whatever is missing or can't be is a `WrongSetting`: every process stops and names it.
"""

import sys
from functools import partial
from pathlib import Path

from config import (
    containers,
    database_url,
    exchange_addresses,
    public_origin,
    scraping,
    secret_keys,
    values,
)
from config.values import Registration
from config.variables import read_file, setting, text
from positions.pnl import MarkPrice
from postgres import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

read_file(default=BASE_DIR / ".env")

# Secrets

_secrets = secret_keys.secret_keys({name: text(name) for name in secret_keys.NAMES})
SECRET_KEY = _secrets.django
JWT_SECRET_KEY = _secrets.token
# Fernet keys: the first encrypts, all decrypt.
ENCRYPTION_SECRET_KEY = _secrets.encryption

# Where people reach it

DEBUG = setting("DEBUG", values.boolean, default="false")
PORT = setting("PORT", values.port, default="8000")
_origin = setting("PUBLIC_ORIGIN", public_origin.public_origin)
public_origin.refuse_debug(_origin, DEBUG)

# Such as https://kalshi.home.example. None: loopback only, over http.
PUBLIC_ORIGIN = str(_origin) if _origin else None
# Loopback stays allowed: health checks and the reverse proxy's own probes come from there.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
COOKIES_SECURE = False
if _origin:
    SECURE_SSL_HOST = _origin.authority
    ALLOWED_HOSTS.append(_origin.host)
    CSRF_TRUSTED_ORIGINS = [str(_origin)]
    COOKIES_SECURE = _origin.is_https

# Whose X-Forwarded-For and X-Forwarded-Proto are believed, beside a proxy's on this machine.
TRUSTED_PROXIES = setting("TRUSTED_PROXIES", values.networks)
# In a container: where requests of the machine come from, when only its loopback is published.
LOCAL_GATEWAY = setting("PUBLISHED_ON_LOOPBACK", containers.local_gateway, default="false")

# What a supervisor on this machine asks by http all the same, without the proxy.
HTTP_PROBES = ("/healthz", "/readyz", "/metrics")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = COOKIES_SECURE
if COOKIES_SECURE:
    SECURE_HSTS_SECONDS = 31_536_000
    # What HttpsMiddleware lets pass may pass here too; it has answered all the rest.
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [rf"^{probe.removeprefix('/')}$" for probe in HTTP_PROBES]
X_FRAME_OPTIONS = "DENY"

CSRF_FAILURE_VIEW = "config.refusals.csrf_failure"
# What DEBUG shows of an error.
DEFAULT_EXCEPTION_REPORTER = "config.error_reports.ErrorReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.error_reports.ReportFilter"

# Application

INSTALLED_APPS = [
    "postgres",  # its migrate goes before Django's
    "accounts",
    "positions",
    "ledger",
    "streaming",
    "sandbox",
    "config.apps.SignInAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "accounts.browser_rules.BrowserRulesMiddleware",
    "config.scraper_access.ScraperAccessMiddleware",
    "config.https.HttpsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.refusals.RefusalsMiddleware",
    "config.static_files.StaticFilesMiddleware",
    "accounts.middleware.SessionCookieMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.PersonMiddleware",
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
            ],
            "libraries": {"modulepreload": "config.modulepreload"},
        },
    }
]

# The admin's sign-in and its notes need no sessions of Django's: ours serve there too.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
SILENCED_SYSTEM_CHECKS = ["admin.E410"]
if COOKIES_SECURE:
    # HSTS of subdomains, and its preload list: we speak for our own host alone.
    SILENCED_SYSTEM_CHECKS += ["security.W005", "security.W021"]

# People

AUTH_USER_MODEL = "accounts.User"
# Who may become a user by a first sign-in with a key.
REGISTRATION: Registration = setting("REGISTRATION", values.registration, default="first")
PASSWORD_HASHERS = [
    "accounts.hashing.OneLaneArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Database

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
POSTGRES_DIR = setting(
    "POSTGRES_DIR", values.directory, default=str(embedded.default_directory(BASE_DIR))
)
_database = database_url.with_way_past_pooler(
    "DIRECT_DATABASE_URL",
    setting("DATABASE_URL", database_url.database),
    setting("DIRECT_DATABASE_URL", database_url.database),
)
DATABASES = {"default": _database or embedded.database(POSTGRES_DIR)}
# Streams outlive requests by hours: a connection kept for reuse would be one held for nothing.
DATABASES["default"]["CONN_MAX_AGE"] = 0
for _way in filter(None, (DATABASES["default"], DATABASES["default"].get("DIRECT"))):
    # A server that does not answer is away, and said to be: nobody waits for the kernel to give up.
    # How long web server and worker wait for it is in postgres/patience.py.
    _way.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    _way["OPTIONS"].setdefault("tcp_user_timeout", 5000)

# The exchange

# To production and demo. No setting of Django's, as its value may hold a password.
_proxy = setting("EXCHANGE_PROXY", exchange_addresses.proxy)


def _address(name: str, default: str = "") -> tuple[str, str]:
    return name, text(name, default)


KALSHI_ENVIRONMENTS = {
    "production": exchange_addresses.environment(
        "production",
        api_base=_address("KALSHI_API_BASE", "https://external-api.kalshi.com/trade-api/v2"),
        ws_url=_address("KALSHI_WS_URL", "wss://external-api-ws.kalshi.com/trade-api/ws/v2"),
        proxy=_proxy,
    ),
    "demo": exchange_addresses.environment(
        "demo",
        api_base=_address(
            "KALSHI_DEMO_API_BASE", "https://external-api.demo.kalshi.co/trade-api/v2"
        ),
        ws_url=_address(
            "KALSHI_DEMO_WS_URL", "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"
        ),
        proxy=_proxy,
    ),
}
_sandbox = exchange_addresses.sandbox(
    api_base=_address("SANDBOX_API_BASE"), ws_url=_address("SANDBOX_WS_URL")
)
if _sandbox:
    KALSHI_ENVIRONMENTS["sandbox"] = _sandbox
# Its control page, which only this machine can reach; the dashboard links to it.
SANDBOX_CONTROL_URL = setting("SANDBOX_CONTROL_URL", values.page)
# Where the local sandbox keeps its key.
SANDBOX_DIR = VAR_DIR / "sandbox"

# Figures

# What an open position is valued at: "bid" is what closing now would fetch.
MARK_PRICE: MarkPrice = setting("MARK_PRICE", values.mark_price, default="bid")
TRADING_DAY_TIMEZONE = setting("TRADING_DAY_TIMEZONE", values.timezone, default="America/New_York")

# Streams

# Open at once, of one session and of one web process; whoever asks for one more is refused.
STREAMS_PER_SESSION = setting("STREAMS_PER_SESSION", values.count, default="20")
STREAMS_TOTAL = setting("STREAMS_TOTAL", values.count, default="5000")
# The longest that one lasts. Below the hour after which platforms cut every request off, Cloud Run
# for one: what we end ourselves ends whole, and at a time of its own.
STREAM_SECONDS = setting("STREAM_SECONDS", values.count, default="3300")

# Language, time, files

TIME_ZONE = "UTC"
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
# They are for our own pages; WhiteNoise would let every other origin read them.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.chart_files.ChartFilesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_files.StaticFilesStorage"},
}

# Watching

# Of whoever reads /metrics; None: this machine itself, without a proxy between.
METRICS_TOKEN = setting("METRICS_TOKEN", scraping.token)
# Where a worker tells its own metrics, which has no other port; None: nowhere.
METRICS_PORT = setting("METRICS_PORT", values.optional_port)
METRICS_HOST = setting(
    "METRICS_HOST",
    partial(scraping.host, has_token=METRICS_TOKEN is not None),
    default="127.0.0.1",
)

_log_format = setting("LOG_FORMAT", partial(values.log_format, is_terminal=sys.stderr.isatty()))
_HANDLERS = ["console", "counted"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "config.logs.EventFormatter"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "filters": {"no_traceback": {"()": "config.logs.NoTraceback"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": _log_format},
        # What goes wrong, by its kind, for the metrics.
        "counted": {"class": "streaming.trouble.Counted", "level": "WARNING"},
    },
    "root": {"handlers": _HANDLERS, "level": "INFO"},
    "loggers": {
        "django": {"handlers": _HANDLERS, "level": "INFO", "propagate": False},
        # What strangers send, and what they are told, needs no trace of ours.
        "django.security.DisallowedHost": {"filters": ["no_traceback"]},
        "django.security.TooManyFieldsSent": {"filters": ["no_traceback"]},
        "django.security.TooManyFilesSent": {"filters": ["no_traceback"]},
        "django.security.RequestDataTooBig": {"filters": ["no_traceback"]},
        "django.security.SuspiciousOperation": {"filters": ["no_traceback"]},
        # One line a request says nothing that a proxy's log doesn't say better.
        "uvicorn.access": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "websockets": {"level": "WARNING"},
    },
}
