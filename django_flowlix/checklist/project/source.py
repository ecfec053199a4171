"""What the project's Python code does with payments: whom it calls, what it catches, which card fields it has."""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ... import exceptions
from ...api import errors

_SERVICES = "django_flowlix.services"
_WORTH_PARSING = re.compile(
    r"start_payment|refund_payment|sync_payment|create_direct_payment|HostedPaymentView"
    r"|(?i:card|\bcc_|\bpan\b|\bcv[cv]|security_code)"
)
CARD_FIELD = r"(?:credit_?)?(?:card|cc)_?(?:number|no|num|cvc|cvv2?)|credit_?card|pan|cvc2?|cvv2?|security_?code"
_CARD_FIELD = re.compile(rf"(?:{CARD_FIELD})", re.IGNORECASE)

_CAN_COME: Mapping[str, tuple[type[Exception], ...]] = {
    "start_payment": (
        exceptions.InvalidPaymentRequest,
        exceptions.AlreadyPaid,
        exceptions.PaymentRejected,
        exceptions.PaymentUnavailable,
        exceptions.PaymentUnconfirmed,
    ),
    "refund_payment": (exceptions.InvalidRefundRequest, exceptions.RefundRejected),
    "sync_payment": (errors.FlowlixError, exceptions.PaymentUnavailable),
}
"""What each service raises. Source: docs/reference/services.md"""


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """A call of one of our services, and the errors that can come and are not caught around it."""

    line: int
    service: str
    uncaught: tuple[str, ...]


@dataclass(slots=True)
class Code:
    """What one module does, by line."""

    service_calls: list[ServiceCall] = field(default_factory=list)
    direct_payments: list[int] = field(default_factory=list)
    card_fields: list[int] = field(default_factory=list)
    uses_hosted_view: bool = False


def read_code(text: str) -> Code:
    """Read one module. Raises: SyntaxError, ValueError for what Python cannot parse"""
    if not _WORTH_PARSING.search(text):
        return Code()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in the project's own strings
        module = ast.parse(text)
    reader = _Reader(_imported(module))
    reader.visit(module)
    return reader.code


def _imported(module: ast.Module) -> Mapping[str, str]:
    """Return the full names of what a module imports, by the name it has there."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names.update((alias.asname, alias.name) for alias in node.names if alias.asname)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.update((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)
    return names


class _Reader(ast.NodeVisitor):
    """Walks a module and knows at each call what is caught around it."""

    def __init__(self, imported: Mapping[str, str]) -> None:
        self.code = Code(uses_hosted_view="django_flowlix.views.HostedPaymentView" in imported.values())
        self._imported = imported
        self._caught: tuple[type[BaseException], ...] = ()

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        outside = self._caught
        self._caught = (*outside, *self._catches(node))
        self._visit_all(node.body)
        self._caught = outside
        self._visit_all([*node.handlers, *node.orelse, *node.finalbody])

    visit_TryStar = visit_Try  # noqa: N815  the name of the class in `ast`

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        outside, self._caught = self._caught, ()  # its body runs when it is called, which may be elsewhere
        self.generic_visit(node)
        self._caught = outside

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef  # noqa: N815

    def visit_Call(self, node: ast.Call) -> None:
        name = self._full_name(node.func)
        service = name.removeprefix(f"{_SERVICES}.")
        if name.startswith(_SERVICES) and service in _CAN_COME:
            uncaught = [error.__name__ for error in _CAN_COME[service] if not issubclass(error, self._caught)]
            self.code.service_calls.append(ServiceCall(node.lineno, service, tuple(uncaught)))
        elif name.rpartition(".")[2] == "create_direct_payment":
            self.code.direct_payments.append(node.lineno)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and _is_card_field(statement):
                self.code.card_fields.append(statement.lineno)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self._full_name(node) == "django_flowlix.views.HostedPaymentView":
            self.code.uses_hosted_view = True
        self.generic_visit(node)

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _full_name(self, node: ast.expr) -> str:
        """Return the dotted name of an expression with its import resolved; "" begins what is no plain name."""
        if isinstance(node, ast.Name):
            return self._imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self._full_name(node.value)}.{node.attr}"
        return ""

    def _catches(self, node: ast.Try | ast.TryStar) -> Iterator[type[BaseException]]:
        for handler in node.handlers:
            if handler.type is None:
                yield BaseException
                continue
            types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            for each in types:
                yield from _classes(self._full_name(each).rpartition(".")[2])


def _classes(name: str) -> Iterator[type[BaseException]]:
    for module in (exceptions, errors, builtins):
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            yield found


def _is_card_field(statement: ast.Assign | ast.AnnAssign) -> bool:
    """Tell whether a class has a field for a card's number or code, as forms, models and serializers write it."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if not isinstance(statement.value, ast.Call):
        return False
    called = statement.value.func
    kind = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return kind.endswith("Field") and any(map(_CARD_FIELD.fullmatch, names))
