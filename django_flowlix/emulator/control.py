"""The control API under `/_emulator/`: JSON in, JSON out, no authentication, loopback only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request

from .controls import Controls
from .state import State

_ADDRESSES = {
    "GET /_emulator/state": "everything the emulator remembers",
    "POST /_emulator/reset": "forget everything",
    "GET /_emulator/log": "the requests received; ?operation=create_hosted for one operation",
    "DELETE /_emulator/log": "empty the log",
    "GET /_emulator/faults": "faults still queued",
    "POST /_emulator/faults": '{"operation": "create_hosted", "kind": "drop_after", "times": 1}',
    "DELETE /_emulator/faults": "take all faults out of the queue",
    "POST /_emulator/release": "end every delay now; the held requests go on",
    "POST /_emulator/clock": '{"advance_seconds": 90000}',
    "POST /_emulator/rate-limit": '{"requests_per_minute": 100}',
    "POST /_emulator/page-url": '{"field": "both"}, or "hpp_url", or "redirect_url"',
    "POST /_emulator/keys/revoke": '{"key": "fl_test_sk_..."}',
    "POST /_emulator/keys/restore": '{"key": "fl_test_sk_..."}',
    "POST /_emulator/payments/<id>/finish": '{"outcome": "success"}, or "decline", "cancel", "expire", "refund"',
    "POST /_emulator/payments/<id>/refund": '{}, or {"amount_minor": 500}: by hand in the dashboard',
    "GET /_emulator/payments/<id>/refunds": "the refunds of a payment, oldest first",
    "POST /_emulator/refunds/<refund_id>/finish": '{"outcome": "succeed"}, or "fail"',
    "POST /_emulator/refund-delay": '{"seconds": 3}, or null: only when told',
    "POST /_emulator/payment-delay": '{"seconds": 2}, or null: only when told (direct payments of contract dev)',
}


def create_blueprint(state: State) -> Blueprint:
    blueprint = Blueprint("control", __name__, url_prefix="/_emulator")
    controls = Controls(state)

    @blueprint.errorhandler(ValueError)
    def refuse(error: ValueError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @blueprint.before_request
    def refuse_web_pages() -> tuple[Response, int] | None:
        # Any web page may send a simple POST to this machine; browsers then name its origin, and tests never do.
        if "Origin" in request.headers:
            return jsonify(error="the control API is closed to web pages"), 403
        return None

    _add_memory(blueprint, state)
    _add_faults(blueprint, state, controls)
    _add_settings(blueprint, state, controls)
    _add_outcomes(blueprint, state, controls)
    return blueprint


def _add_memory(blueprint: Blueprint, state: State) -> None:
    @blueprint.get("/")
    def index() -> Response:
        return jsonify(contract=state.contract.name, addresses=_ADDRESSES)

    @blueprint.get("/state")
    def dump() -> Response:
        return jsonify(state.dump())

    @blueprint.post("/reset")
    def reset() -> Response:
        state.reset()
        return jsonify(state.dump())

    @blueprint.get("/log")
    def log() -> Response:
        return jsonify([entry.as_dict() for entry in state.log.entries(request.args.get("operation"))])

    @blueprint.delete("/log")
    def clear_log() -> Response:
        state.log.clear()
        return jsonify([])


def _add_faults(blueprint: Blueprint, state: State, controls: Controls) -> None:
    @blueprint.get("/faults")
    def faults() -> Response:
        return jsonify([fault.as_dict() for fault in state.faults.queued()])

    @blueprint.post("/faults")
    def add_fault() -> tuple[Response, int]:
        values = _values()
        fault = controls.add_fault(values.pop("operation", None), values.pop("kind", None), values)
        return jsonify(fault.as_dict()), 201

    @blueprint.delete("/faults")
    def clear_faults() -> Response:
        state.faults.clear()
        return jsonify([])

    @blueprint.post("/release")
    def release() -> Response:
        state.delays.release()
        return jsonify(released=True)


def _add_settings(blueprint: Blueprint, state: State, controls: Controls) -> None:
    @blueprint.post("/clock")
    def advance() -> Response:
        return jsonify(now=controls.advance(_fields("advance_seconds")["advance_seconds"]))

    @blueprint.post("/rate-limit")
    def limit_rate() -> Response:
        values = _fields("requests_per_minute")
        controls.set_rate_limit(values["requests_per_minute"])
        return jsonify(values)

    @blueprint.post("/page-url")
    def show_page_url() -> Response:
        values = _fields("field")
        state.show_page_url_as(values["field"])
        return jsonify(values)

    @blueprint.post("/keys/revoke")
    def revoke_key() -> Response:
        controls.revoke_key(_fields("key")["key"])
        return jsonify(revoked=True)

    @blueprint.post("/keys/restore")
    def restore_key() -> Response:
        controls.restore_key(_fields("key")["key"])
        return jsonify(revoked=False)

    @blueprint.post("/refund-delay")
    def delay_refunds() -> Response:
        values = _fields("seconds")
        controls.set_refund_delay(values["seconds"])
        return jsonify(values)

    @blueprint.post("/payment-delay")
    def delay_payments() -> Response:
        values = _fields("seconds")
        controls.set_payment_delay(values["seconds"])
        return jsonify(values)


def _add_outcomes(blueprint: Blueprint, state: State, controls: Controls) -> None:
    @blueprint.post("/payments/<payment_id>/finish")
    def finish(payment_id: str) -> Response:
        values = _fields("outcome", optional=("card", "decline_code"))
        payment = controls.finish(payment_id, values.pop("outcome"), **values)
        return jsonify(state.contract.render(payment, state.page_url_field))

    @blueprint.post("/payments/<payment_id>/refund")
    def refund(payment_id: str) -> Response:
        payment = controls.refund(payment_id, _fields(optional=("amount_minor",)).get("amount_minor"))
        return jsonify(state.contract.render(payment, state.page_url_field))

    @blueprint.get("/payments/<payment_id>/refunds")
    def refunds(payment_id: str) -> Response:
        return jsonify([asdict(refund) for refund in controls.refunds(payment_id)])

    @blueprint.post("/refunds/<refund_id>/finish")
    def finish_refund(refund_id: str) -> Response:
        return jsonify(asdict(controls.finish_refund(refund_id, _fields("outcome")["outcome"])))


def _fields(*required: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the request's JSON object after checking that it has the required fields and no unknown ones."""
    values = _values()
    unknown = [name for name in values if name not in (*required, *optional)]
    missing = [name for name in required if name not in values]
    if unknown or missing:
        raise ValueError(f"send a JSON object with {', '.join((*required, *optional))}")
    return values


def _values() -> dict[str, Any]:
    values = request.get_json(silent=True, force=True)
    if not isinstance(values, dict):
        raise ValueError("send a JSON object")
    return values
