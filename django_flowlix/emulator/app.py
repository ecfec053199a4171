"""The Flask application: logs every request, lets the gateway answer, serves the hosted page and the control API."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from . import control, hosted_page
from .answers import Answer, Delivery
from .gateway import Exchange, Incoming
from .ids import random_id
from .loopback import is_loopback
from .masking import masked_headers, masked_text
from .request_log import LogEntry
from .state import State
from .wire import BROKEN_DELIVERY

_API = "/v1/"
_LOGGED = (_API, "/hpp/")


def create_app(state: State) -> Flask:
    app = Flask(__name__)
    app.url_map.merge_slashes = False
    app.register_blueprint(hosted_page.create_blueprint(state))
    app.register_blueprint(control.create_blueprint(state))
    app.before_request(_refuse_foreign_names)
    _log_requests(app, state)

    @app.before_request
    def gateway() -> Response | None:
        # Not a route: the gateway answers every method and every address below /v1/, malformed ones too.
        if not request.path.startswith(_API):
            return None
        return _response(Exchange(state, _incoming(), g.entry).answer())

    @app.get("/")
    def index() -> AnyResponse:
        return redirect(url_for("control.index"))

    return app


def _refuse_foreign_names() -> None:
    # A web page must not reach the control API by way of its own name resolved to 127.0.0.1. (Flask's TRUSTED_HOSTS
    # cannot name an IPv6 address.)
    if not is_loopback(urlsplit(request.host_url).hostname):
        abort(400, "The emulator answers to localhost and loopback addresses only.")


def _log_requests(app: Flask, state: State) -> None:
    @app.before_request
    def write_down() -> None:
        if request.path.startswith(_LOGGED):
            g.entry = _opened_entry(state)

    @app.after_request
    def write_status(response: Response) -> Response:
        if "entry" in g:
            broken: Answer | None = request.environ.get(BROKEN_DELIVERY)
            dropped = broken is not None and broken.delivery is Delivery.DROPPED
            state.log.close(g.entry, None if dropped else response.status_code)
        return response


def _opened_entry(state: State) -> LogEntry:
    on_the_api = request.path.startswith(_API)
    body = request.get_data().decode("utf-8", "replace") if on_the_api else ""
    return state.log.open(
        request_id=random_id("req_"),
        received_at=state.clock.now(),
        method=request.method,
        path=masked_text(_raw_path()),
        query=masked_text(request.query_string.decode("ascii", "replace")),
        headers=masked_headers(list(request.headers.items())),
        idempotency_key=request.headers.get("Idempotency-Key"),
        body=masked_text(body),
        client_port=request.environ["REMOTE_PORT"],
        operation=None if on_the_api else "hosted_page",
    )


def _raw_path() -> str:
    """Return the path as it was sent: decoded, it could carry line breaks into the log."""
    return str(request.environ["RAW_URI"]).partition("?")[0]


def _incoming() -> Incoming:
    return Incoming(
        method=request.method,
        path=_raw_path(),
        query=list(request.args.items(multi=True)),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(),
        base_url=request.host_url.rstrip("/"),
    )


def _response(answer: Answer) -> Response:
    if answer.delivery is not Delivery.WHOLE:
        request.environ[BROKEN_DELIVERY] = answer
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    response.headers.extend(answer.headers)
    return response
