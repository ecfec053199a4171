"""Settings of the example shop: what differs between machines comes from the environment or from `.env`.

Without either, the shop runs on SQLite and pays at the local emulator (`python -m django_flowlix.emulator`).
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from django_flowlix.conf import accounts_from_env

HERE = Path(__file__).resolve().parent
env = environ.Env()
if (dotenv := HERE.parent / ".env").is_file():
    env.read_env(dotenv)

# --- Flowlix -------------------------------------------------------------------------------------------------
# Without a key of your own: a made-up test key, which the emulator takes and the gateway does not.
if not (os.environ.get("FLOWLIX_SECRET_KEY") or os.environ.get("FLOWLIX_SECRET_KEY_FILE")):
    os.environ["FLOWLIX_SECRET_KEY"] = "_".join(["fl", "test", "sk", "onlyForTheEmulator"])
    os.environ.setdefault("FLOWLIX_API_URL", "http://127.0.0.1:8900")
    os.environ.setdefault("FLOWLIX_BASE_URL", "http://127.0.0.1:8000")

FLOWLIX = accounts_from_env()

# Where the Pay button may lead (see middleware.py); the emulator serves its hosted page beside its API.
_api_url = urlsplit(env.str("FLOWLIX_API_URL", default="https://pay.flowlix.eu"))
SHOP_HOSTED_PAGE_ORIGINS: list[str] = env.list(
    "SHOP_HOSTED_PAGE_ORIGINS", default=[f"{_api_url.scheme}://{_api_url.netloc}"]
)

# --- Django --------------------------------------------------------------------------------------------------
_base_url = urlsplit(env.str("FLOWLIX_BASE_URL", default=""))

DEBUG: bool = env.bool("DEBUG", default=True)
SECRET_KEY: str = env.str("SECRET_KEY", default="") or get_random_secret_key()
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", *filter(None, [_base_url.hostname])]
)

INSTALLED_APPS = [
    "example_project.shop",  # before django_flowlix, because it overrides that app's page.html
    "django_flowlix",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "example_project.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "example_project.shop.context_processors.basket",
            ]
        },
    }
]

# --- Database ------------------------------------------------------------------------------------------------
_ENGINE_OPTIONS = {
    # IMMEDIATE takes the write lock at BEGIN: otherwise two processes that read first and write later end in
    # "database is locked" at once, whatever the timeout.
    "django.db.backends.sqlite3": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    # Strict mode: MariaDB would otherwise cut values that are too long instead of refusing them.
    "django.db.backends.mysql": {"charset": "utf8mb4", "init_command": "SET sql_mode='STRICT_TRANS_TABLES'"},
}
_database = env.db("DATABASE_URL", default=f"sqlite:///{HERE / 'demo.sqlite3'}")
_database["OPTIONS"] = _ENGINE_OPTIONS.get(_database["ENGINE"], {}) | _database.get("OPTIONS", {})
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Language, files, security, logs -------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(HERE / "staticfiles"))

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"  # an order's address is not told to other sites
SESSION_COOKIE_SAMESITE = "Lax"  # "Strict" would lose the customer's session on the way back from the hosted page
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _base_url.scheme == "https"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redaction": {"()": "django_flowlix.log_redaction.RedactionFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redaction"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {name: {"level": "INFO"} for name in ("django", "django_flowlix", "example_project")},
}
