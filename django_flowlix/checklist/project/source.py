"""What the project's Python code does with payments: whom it calls, what it catches, which card fields it has."""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from ... import exceptions
from ...api import errors

_SERVICES = "django_flowlix.services"
_WORTH_PARSING = re.compile(
    r"start_payment|refund_payment|sync_payment|create_direct_payment|HostedPaymentView"
    r"|(?i:card|\bcc_|\bpan\b|\bcv[cv]|\bcsc|\bexp_?(?:month|year)|security_code)"
)
_CODE = r"(?:cvc|cvv|csc)2?(?:_?(?:code|number|no))?"
CARD_FIELD = rf"(?:(?:credit_?)?(?:card|cc)_?)(?:number|no|num|{_CODE})|{_CODE}|credit_?card|security_?code"
_CARD_FIELD = re.compile(rf"(?:{CARD_FIELD})", re.IGNORECASE)
# A number is any, and a "pan" a tax number, unless there is more of a card around.
_AROUND: Mapping[str, re.Pattern[str]] = {
    "number": re.compile(r"cvc|cvv|csc|security_?code|^exp_?(?:month|year)", re.IGNORECASE),
    "pan": re.compile(r"cvc|cvv|csc|security_?code|^exp_|expir|holder|card", re.IGNORECASE),
}
_AWAITED = frozenset({"asgiref.sync.sync_to_async", "channels.db.database_sync_to_async"})
# What Django itself calls: nothing of the project is around it.
_IS_VIEW = re.compile(r"(?:View|ViewSet|Command|Middleware|Admin)$")

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
    """A use of one of our services, and the errors that can come and are not caught around it.

    `function` is where it stands, if others call that and may catch what comes out of it; "" if nobody does.
    """

    line: int
    service: str
    uncaught: tuple[str, ...]
    function: str = ""


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
    reader = _Reader(_imported(module), _constants(module))
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


def _constants(module: ast.Module) -> Mapping[str, ast.expr]:
    """Return what the names of a module stand for that are set at its top."""
    constants: dict[str, ast.expr] = {}
    for node in module.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            constants.update(dict.fromkeys(names, node.value))
    return constants


_Answer: TypeAlias = tuple[type[BaseException], bool]
"""An error class that a `try` has a handler for, and whether that keeps it."""


class _Reader(ast.NodeVisitor):
    """Walks a module and knows at each use of a service what is caught around it."""

    def __init__(self, imported: Mapping[str, str], constants: Mapping[str, ast.expr]) -> None:
        self.code = Code(uses_hosted_view="django_flowlix.views.HostedPaymentView" in imported.values())
        self._imported = imported
        self._constants = constants
        self._answers: tuple[tuple[_Answer, ...], ...] = ()
        self._scope: tuple[str, ...] = ()
        self._function = ""
        self._is_view = False

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        with self._answered(self._handled(node)):
            self._visit_all(node.body)
        self._visit_all([*node.handlers, *node.orelse, *node.finalbody])

    visit_TryStar = visit_Try  # noqa: N815  the name of the class in `ast`

    def visit_With(self, node: ast.With) -> None:
        with self._answered(self._suppressed(node)):
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._visit_all(node.decorator_list)
        with self._inside(node.name, _takes_request(node.args), is_function=True):
            self._visit_all([node.args, *node.body])

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        outside, self._answers = self._answers, ()  # its body runs when it is called, which may be elsewhere
        self.generic_visit(node)
        self._answers = outside

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.code.card_fields += sorted(_card_fields(node))
        names = (node.name, *(self._full_name(base) for base in node.bases))
        with self._inside(node.name, any(map(_IS_VIEW.search, names))):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func
        if isinstance(called, ast.Call) and called.args and self._full_name(called.func) in _AWAITED:
            called = called.args[0]
        if service := self._service_of(called):
            self._used(node, service)
            self._visit_all([*node.args, *node.keywords])
            return
        if self._full_name(called).rpartition(".")[2] == "create_direct_payment":
            self.code.direct_payments.append(node.lineno)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name | ast.Attribute) -> None:
        """See a service that is handed on: nobody here knows who calls it then."""
        if isinstance(node.ctx, ast.Load) and (service := self._service_of(node)):
            with self._answered(None):
                self._used(node, service)
        elif self._full_name(node) == "django_flowlix.views.HostedPaymentView":
            self.code.uses_hosted_view = True
        self.generic_visit(node)

    visit_Attribute = visit_Name  # noqa: N815

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """See `self.fields["card_number"] = …`."""
        is_fields = isinstance(node.value, ast.Attribute) and node.value.attr == "fields"
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if is_fields and isinstance(node.ctx, ast.Store) and isinstance(name, str) and _CARD_FIELD.fullmatch(name):
            self.code.card_fields.append(node.lineno)
        self.generic_visit(node)

    def _used(self, node: ast.expr, service: str) -> None:
        uncaught = tuple(error.__name__ for error in _CAN_COME[service] if not self._is_caught(error))
        function = "" if self._is_view else self._function
        self.code.service_calls.append(ServiceCall(node.lineno, service, uncaught, function))

    def _is_caught(self, error: type[Exception]) -> bool:
        """Ask each `try` from the inside out; in each, the first handler that fits has it."""
        return any(
            next((keeps for kind, keeps in answers if issubclass(error, kind)), False) for answers in self._answers
        )

    @contextmanager
    def _answered(self, answers: Iterable[_Answer] | None) -> Iterator[None]:
        """Let these be what is caught as well; None: nothing is."""
        outside = self._answers
        self._answers = () if answers is None else (*outside, tuple(answers))
        yield
        self._answers = outside

    @contextmanager
    def _inside(self, name: str, is_view: bool, *, is_function: bool = False) -> Iterator[None]:
        outside = (self._scope, self._function, self._is_view, self._answers)
        self._scope = (*self._scope, name)
        self._is_view = self._is_view or is_view
        if is_function:
            self._function, self._answers = ".".join(self._scope), ()
        yield
        self._scope, self._function, self._is_view, self._answers = outside

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _service_of(self, node: ast.expr) -> str:
        """Return which service of ours an expression names, "" for anything else."""
        package, _, name = self._full_name(node).rpartition(".")
        return name if package.startswith(_SERVICES) and name in _CAN_COME else ""

    def _full_name(self, node: ast.expr) -> str:
        """Return the dotted name of an expression with its import resolved; "" begins what is no plain name."""
        if isinstance(node, ast.Name):
            return self._imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self._full_name(node.value)}.{node.attr}"
        return ""

    def _handled(self, node: ast.Try | ast.TryStar) -> Iterator[_Answer]:
        for handler in node.handlers:
            kinds = [BaseException] if handler.type is None else self._classes_of(handler.type)
            yield from ((kind, not _raises_again(handler)) for kind in kinds)

    def _suppressed(self, node: ast.With) -> Iterator[_Answer]:
        for call in (item.context_expr for item in node.items):
            if isinstance(call, ast.Call) and self._full_name(call.func) == "contextlib.suppress":
                yield from ((kind, True) for argument in call.args for kind in self._classes_of(argument))

    def _classes_of(self, node: ast.expr, seen: frozenset[str] = frozenset()) -> Iterator[type[BaseException]]:
        """Yield the error classes that an expression stands for, through tuples and constants of the module."""
        if isinstance(node, ast.Name) and node.id in self._constants:
            if node.id not in seen:
                yield from self._classes_of(self._constants[node.id], seen | {node.id})
        elif parts := _parts_of(node):
            for part in parts:
                yield from self._classes_of(part, seen)
        else:
            yield from _classes(self._full_name(node).rpartition(".")[2])


def _parts_of(node: ast.expr) -> Sequence[ast.expr]:
    if isinstance(node, ast.Tuple):
        return node.elts
    if isinstance(node, ast.Starred):
        return [node.value]
    return [node.left, node.right] if isinstance(node, ast.BinOp) else []


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Does what a handler gets come out of it again, whatever it does before?"""
    raised = [node.exc for node in handler.body if isinstance(node, ast.Raise)]
    return any(exc is None or (isinstance(exc, ast.Name) and exc.id == handler.name) for exc in raised)


def _takes_request(arguments: ast.arguments) -> bool:
    return any(argument.arg == "request" for argument in (*arguments.posonlyargs, *arguments.args))


def _classes(name: str) -> Iterator[type[BaseException]]:
    for module in (exceptions, errors, builtins):
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            yield found


def _card_fields(node: ast.ClassDef) -> Iterator[int]:
    """Yield the lines of a class's fields for a card's number or code."""
    fields = {name: line for statement in node.body for name, line in _fields_of(statement)}
    for name, line in fields.items():
        around = _AROUND.get(name.lower())
        beside = [other for other in fields if other != name]
        if name.lower() == "pan":
            beside.append(node.name)
        if any(map(around.search, beside)) if around else _CARD_FIELD.fullmatch(name):
            yield line


def _fields_of(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    """Yield the names a statement makes fields of, as forms, models and serializers write it."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or not isinstance(statement.value, ast.Call):
        return
    called = statement.value.func
    kind = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if kind.endswith("Field"):
        yield from ((target.id, statement.lineno) for target in targets if isinstance(target, ast.Name))
