"""Millions of payments with refunds, exchanges and changes, written by the database itself.

They lie badly on purpose: what is stuck is rare and among the oldest, while what is only waiting is recent.
"""

from __future__ import annotations

import time

from django.db import connection
from django.db.models import Model

from django_flowlix.models import ApiCall, Payment, Refund, StatusChange

ON_POSTGRESQL = connection.vendor == "postgresql"


def ago(seconds: str) -> str:
    """Return the SQL of a moment so many seconds ago."""
    if ON_POSTGRESQL:
        return f"now() - ({seconds}) * interval '1 second'"
    return f"DATE_SUB(UTC_TIMESTAMP(6), INTERVAL ({seconds}) SECOND)"


def fill(model: type[Model], rows_of: str, **columns: str) -> None:
    """Insert one row per row of `rows_of`; columns that are not given get the field's default."""
    names, values, parameters = [], [], []
    for field in model._meta.concrete_fields:
        if field.primary_key and field.column not in columns:
            continue
        names.append(connection.ops.quote_name(field.column))
        values.append(columns.get(field.column, "%s"))
        if field.column not in columns:
            parameters.append(field.get_db_prep_save(field.get_default(), connection))
    statement = f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {rows_of}"
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def fill_all(rows: int, seconds_apart: int = 30) -> None:
    began = time.perf_counter()
    series = f"generate_series(1, {rows}) AS s(n)" if ON_POSTGRESQL else f"(SELECT seq AS n FROM seq_1_to_{rows}) AS s"
    recent = f"n > {rows - rows // 500}"  # the last of 1,000 customers or so are still busy
    created = ago(f"({rows} - n) * {seconds_apart}")
    fill(
        Payment,
        series,
        id="n",
        account="CASE WHEN MOD(n, 20) = 0 THEN 'second' WHEN n < 30 THEN 'third' ELSE 'default' END",
        contract="'eu'",
        livemode="MOD(n, 100) <> 0",
        api_key_fingerprint="'0123456789abcdef'",
        order_reference="CONCAT('order ', n)",
        attempt="1",
        amount_minor="1000 + MOD(n, 5000)",
        amount_refunded_minor="CASE WHEN MOD(n, 20) = 1 THEN 1000 ELSE 0 END",
        currency="'EUR'",
        exponent="2",
        description="'Two bags of coffee, one of them ground for the filter, and a cup'",
        request_body="CASE WHEN MOD(n, 40000) = 7 THEN REPEAT('x', 600) ELSE '' END",
        idempotency_key="CONCAT('payment-order-', n)",
        first_sent_at=created,
        gateway_id="CASE WHEN MOD(n, 40000) = 7 THEN NULL ELSE CONCAT('pay_', MD5(CONCAT('p', n))) END",
        request_id="CONCAT('req_', MD5(CONCAT('r', n)))",
        hosted_page_url="CONCAT('https://pay.flowlix.eu/hpp/', MD5(CONCAT('p', n)))",
        status=f"CASE WHEN MOD(n, 40000) = 7 THEN 'created' WHEN n < 40 OR ({recent}) THEN 'pending'"
        " WHEN MOD(n, 200) = 3 THEN 'rejected' WHEN MOD(n, 12) = 5 THEN 'failed' WHEN MOD(n, 50) = 9 THEN 'canceled'"
        " WHEN MOD(n, 10) = 2 THEN 'expired' ELSE 'succeeded' END",
        decline_code="CASE WHEN MOD(n, 12) <> 5 THEN '' WHEN MOD(n, 5) < 2 THEN 'insufficient_funds' "
        "WHEN MOD(n, 5) = 2 THEN 'expired_card' ELSE 'do_not_honor' END",
        card_brand="CASE WHEN MOD(n, 3) = 0 THEN 'mastercard' WHEN MOD(n, 31) = 0 THEN 'amex' ELSE 'visa' END",
        card_country="SUBSTR('DEFRITESPLATCHNLBEGB', 1 + 2 * MOD(n, 10), 2)",
        card_last4="CASE WHEN MOD(n, 10) = 0 THEN '4242' ELSE LPAD(CONCAT('', MOD(7 * n, 10000)), 4, '0') END",
        return_token="MD5(CONCAT('t', n))",
        review_reason="CASE WHEN MOD(n, 30000) = 11 THEN 'mismatch' WHEN n < 60 THEN 'unproven' ELSE '' END",
        review_since=f"CASE WHEN MOD(n, 30000) = 11 OR n < 60 THEN {created} ELSE NULL END",
        created_at=created,
        updated_at=created,
    )
    some = f"(SELECT id AS n, created_at FROM {Payment._meta.db_table} WHERE MOD(id, 20) = 1) AS s"
    fill(
        Refund,
        some,
        id="n",
        payment_id="n",
        account="'default'",
        sequence="1",
        amount_minor="1000",
        currency="'EUR'",
        exponent="2",
        reason="'Customer returned the goods'",
        source="CASE WHEN n < 200 THEN 'gateway' WHEN MOD(n, 3) = 0 THEN 'api' ELSE 'admin' END",
        status=f"CASE WHEN MOD(n, 40000) = 21 THEN 'created' WHEN n < 200 OR ({recent}) THEN 'pending'"
        " WHEN MOD(n, 400) = 41 THEN 'failed' ELSE 'succeeded' END",
        idempotency_key="CONCAT('refund-order-', n)",
        gateway_id="CONCAT('re_', MD5(CONCAT('f', n)))",
        request_id="CONCAT('req_', MD5(CONCAT('rf', n)))",
        created_at="created_at",
        updated_at="created_at",
    )
    every = f"(SELECT id AS n, created_at FROM {Payment._meta.db_table}) AS s"
    for number, (method, operation) in enumerate((("POST", "create_hosted"), ("GET", "retrieve"))):
        fill(
            ApiCall,
            every,
            account="'default'",
            livemode="MOD(n, 100) <> 0",
            api_key_fingerprint="'0123456789abcdef'",
            payment_id="n",
            operation=f"'{operation}'",
            method=f"'{method}'",
            path="'/v1/payments'",
            try_number="1",
            http_status="CASE WHEN MOD(n, 300) = 1 THEN 503 WHEN MOD(n, 900) = 2 THEN 429 WHEN MOD(n, 12) = 5 THEN 402 "
            "WHEN MOD(n, 700) = 3 THEN NULL ELSE 200 END",
            outcome="CASE WHEN MOD(n, 300) = 1 OR MOD(n, 700) = 3 THEN 'unknown' "
            "WHEN MOD(n, 900) = 2 OR MOD(n, 12) = 5 THEN 'error' ELSE 'ok' END",
            duration_ms="80 + MOD(n * 7919, 400) + CASE WHEN MOD(n, 50) = 0 THEN 2000 ELSE 0 END",
            request_id=f"CONCAT('req_', MD5(CONCAT('{'r' if number == 0 else 'look'}', n)))",
            created_at="created_at",
        )
    decided = f"(SELECT id AS n, status, created_at FROM {Payment._meta.db_table}) AS s"
    for before, after in (("'created'", "'pending'"), ("'pending'", "status")):
        fill(
            StatusChange,
            decided,
            payment_id="n",
            from_status=before,
            to_status=after,
            source="'sync'",
            created_at="created_at",
        )
    with connection.cursor() as cursor:
        if ON_POSTGRESQL:
            cursor.execute("VACUUM ANALYZE")
        else:
            tables = ", ".join(model._meta.db_table for model in (Payment, Refund, ApiCall, StatusChange))
            cursor.execute(f"ANALYZE TABLE {tables} PERSISTENT FOR ALL")
            cursor.fetchall()
    print(f"filled with {rows:,} payments in {time.perf_counter() - began:.0f} s on {connection.vendor}")
