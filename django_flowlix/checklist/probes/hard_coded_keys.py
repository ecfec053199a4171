"""live-key-from-environment, secret-key-server-side, live-key-set: where the key comes from, and where it stands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...conf import Account
from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, judge_of, needs_person, noted, passed, skipped, warned
from ..project.files import Kind, ProjectFile
from ..project.log_files import LogFiles, search_log_files
from ..project.survey import KeyPlace, Survey, named, survey

_LONGEST_KEY_FILE = 4096
_IN_USE = (Kind.TEMPLATE, Kind.STATIC, Kind.SETTINGS, Kind.DOTENV, Kind.LOG)
_NEW_KEY = "Take it out and make a new one in Dashboard > Settings > API Keys: the file's history keeps this one."
_FROM_ENVIRONMENT = "Write FLOWLIX = accounts_from_env() and set FLOWLIX_SECRET_KEY, or FLOWLIX_SECRET_KEY_FILE."
_FROM_STORE = (
    "The key comes to the settings from a secret store, or from a file outside version control that is no source."
)


@catalogue.LIVE_KEY_FROM_ENVIRONMENT.probe()
def key_from_environment(context: Context) -> Iterator[Finding]:
    mode = "live" if context.account.livemode else "test"
    own = [found for found in context.once(survey).keys if found.key.is_own]
    places = [found for found in own if _is_hard_coded(found)]
    dotenvs = [found.file.name for found in own if _is_environment(found.file)]
    if places:
        judge = judge_of(context.account.livemode)
        where = named(found.place for found in places)
        yield judge(f"The account's {mode} key is written into the project: {where}.", _FROM_ENVIRONMENT)
    if variable := _variable_of(context.account):
        yield passed(f"The {mode} key in use is the one that the environment variable {variable} brings.")
    elif places:
        return
    elif dotenvs:
        where = f"{named(dotenvs)}, a dotenv file that is not under version control"
        yield passed(f"The {mode} key in use stands in {where}.")
    else:
        yield needs_person(
            "No environment variable holds the key in use or names a file with it, and it was found in none of the "
            "files that were searched.",
            _FROM_STORE,
        )


def _is_hard_coded(found: KeyPlace) -> bool:
    """Does the key stand where the settings could have it from?"""
    if found.file.kind in (Kind.TEMPLATE, Kind.STATIC, Kind.LOG) or found.key.is_allowed:
        return False
    return not _is_environment(found.file)


def _is_environment(file: ProjectFile) -> bool:
    """An untracked dotenv file is: some have it loaded, and some read it themselves."""
    return file.kind is Kind.DOTENV and not file.is_tracked


def _variable_of(account: Account) -> str:
    """Return the name of the environment variable that brings the key, "" when none does."""
    key = account.secret_key.reveal()
    names = sorted(os.environ, key=lambda name: (not name.startswith("FLOWLIX"), name))
    return next((name for name in names if key == _value_of(name)), "")


def _value_of(name: str) -> str:
    value = os.environ[name].strip()
    if not name.endswith("_FILE"):
        return value
    path = Path(value)
    try:
        is_short = path.is_file() and path.stat().st_size <= _LONGEST_KEY_FILE  # a pipe would be waited for
        return path.read_text("utf-8-sig").strip() if is_short else ""
    except (OSError, ValueError):
        return ""


@catalogue.SECRET_KEY_SERVER_SIDE.probe()
def no_key_in_files(context: Context) -> Iterator[Finding]:
    """Search all that is the project's; each place is told of once, at its worst."""
    found, logs = context.once(survey), context.once(search_log_files)
    faults = [*_log_faults(found, logs), *_key_faults(context.account, found), *_dotenv_faults(found)]
    yield from faults
    if found.settings_uses:
        yield warned(
            f"A template shows the settings of FLOWLIX or a secret key: {named(found.settings_uses)}.",
            "Hand templates the single values that they need.",
        )
    yield from _gaps(found, logs)
    if not found.searched:
        yield skipped(f"There is no file to search in {found.files.root}.", "Set BASE_DIR to the project's directory.")
    elif not faults:
        yield passed(
            f"No key stands in the project's files in {found.files.root} ({found.searched} searched) or in its log "
            f"files ({len(logs.searched)} searched)."
        )


def _log_faults(found: Survey, logs: LogFiles) -> Iterator[Finding]:
    own = {str(path) for path in logs.searched}
    others = [place for place in _real(found) if place.file.kind is Kind.LOG and str(place.file.path) not in own]
    places = [*logs.keys, *(place.place for place in others)]
    if places:
        yield failed(
            f"A key stands in a log file: {named(places)}.",
            "Put RedactionFilter on every handler of LOGGING, delete the log, and make a new key.",
        )


def _key_faults(account: Account, found: Survey) -> Iterator[Finding]:
    """Say where a key stands, by what that means: real money, what browsers get, what git keeps, the rest."""
    live: list[KeyPlace] = []
    others: list[KeyPlace] = []
    for place in _real(found):
        if place.file.kind is not Kind.LOG and not _is_environment(place.file):
            is_live = place.key.live or (place.key.live is None and account.livemode)
            (live if is_live else others).append(place)
    if live:
        yield failed(f"{_what(live, 'A live key')} stands in {_where(live)}.", _NEW_KEY)
    if doubtful := _doubtful(found):
        remedy = "If it is an example, write three dots for the part behind the prefix, so that nobody has to ask."
        yield warned(f"What looks like a live key stands in {_where(doubtful)}.", remedy)
    yield from _test_key_faults(others)


def _test_key_faults(places: Sequence[KeyPlace]) -> Iterator[Finding]:
    sent = [place for place in places if place.file.kind in (Kind.TEMPLATE, Kind.STATIC)]
    tracked = [place for place in places if place.file.kind is Kind.DOTENV and not place.file.is_example]
    rest = [place for place in places if place not in sent and place not in tracked]
    if sent:
        yield failed(f"{_what(sent, 'A test key')} stands in what browsers get: {_where(sent)}.", _NEW_KEY)
    if tracked:
        remedy = f"Run git rm --cached on it and add it to .gitignore. {_NEW_KEY}"
        words = f"{_what(tracked, 'A test key')} stands in a dotenv file that git tracks: {_where(tracked)}."
        yield failed(words, remedy)
    if rest:
        remedy = "Read it from the environment; the comment flowlix: allow-key lets a test key of no worth stay."
        yield warned(f"{_what(rest, 'A test key')} stands in {_where(rest)}.", remedy)


def _real(found: Survey) -> list[KeyPlace]:
    return [place for place in found.keys if _is_real(place)]


def _is_real(place: KeyPlace) -> bool:
    """Tell whether it has to be taken for a key: prose and other code have examples, what is in use has none."""
    if place.key.is_allowed or place.key.is_placeholder:
        return False
    return not place.key.is_made_up or (place.file.kind in _IN_USE and not place.file.is_example)


def _doubtful(found: Survey) -> list[KeyPlace]:
    """Return what has the form of a live key, and may be an example."""
    made_up = [place for place in found.keys if place.key.live and place.key.is_made_up]
    return [place for place in made_up if not (_is_real(place) or place.key.is_placeholder)]


def _what(places: Sequence[KeyPlace], key: str) -> str:
    return "A webhook secret" if all(place.key.is_webhook_secret for place in places) else key


def _where(places: Sequence[KeyPlace]) -> str:
    return named(found.place for found in places)


def _dotenv_faults(found: Survey) -> Iterator[Finding]:
    """Say which dotenv files git tracks, though there is no key in them yet; those with one are told of above."""
    with_key = {place.file for place in _real(found)}
    dotenvs = [file for file in found.files.files if file.kind is Kind.DOTENV and not file.is_example]
    tracked = [file.name for file in dotenvs if file.is_tracked and file not in with_key]
    if tracked:
        yield warned(
            f"Git tracks dotenv files: {named(tracked)}.",
            "Run git rm --cached on them and add them to .gitignore: sooner or later somebody writes a key there.",
        )


def _gaps(found: Survey, logs: LogFiles) -> Iterator[Finding]:
    """Say what was not searched."""
    if found.unread or logs.unread:
        yield skipped(
            f"Could not be read, and were not searched: {named([*found.unread, *logs.unread])}.",
            "Run it as a user who may read the project's files.",
        )
    if not found.files.uses_git:
        yield noted("Git could not be asked: the files that .gitignore names were searched too.")
    elif found.files.is_repository:
        yield from _loose_dotenvs(found)
    else:
        yield noted("The project is in no git repository: whether a dotenv file is tracked cannot be told.")


def _loose_dotenvs(found: Survey) -> Iterator[Finding]:
    files = [place.file for place in _real(found) if _is_environment(place.file)]
    loose = [file.name for file in files if not file.is_ignored]
    if loose:
        yield noted(f"Git does not track these dotenv files, and does not ignore them either: {named(loose)}.")


@catalogue.LIVE_KEY_SET.probe()
def live_key(context: Context) -> Iterator[Finding]:
    account = context.account
    if account.livemode:
        begins = account.api_key_fingerprint[:8]
        yield passed(f"Account {account.alias!r} has a live key of contract {account.contract_name}: {begins}….")
    else:
        yield skipped(
            f"Account {account.alias!r} has a test key of contract {account.contract_name}.",
            "Set the live key from Dashboard > Settings > API Keys in the environment of the server.",
        )
