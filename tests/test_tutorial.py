"""Tutorial and README, word for word: their code becomes a project, their commands run, and the order is paid."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from django_flowlix.emulator.server import EmulatorServer

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = re.findall(r"```\{code-block\} \S+\n:caption: (\S+?)(, at the end)?\n\n(.*?)```", TUTORIAL, re.DOTALL)
COMMANDS = re.findall(r"^ *```bash\n(.*?)```", TUTORIAL, re.DOTALL | re.MULTILINE)

PRESS_THE_BUTTON = """
from django.test import Client
from orders.models import Order
order = Order.objects.get()
page = Client().get(f"/orders/{order.pk}/", headers={"host": "127.0.0.1:8000"})
assert f"/orders/{order.pk}/pay/" in page.content.decode()
answer = Client().post(f"/orders/{order.pk}/pay/", headers={"host": "127.0.0.1:8000"})
print(answer.status_code, answer.url)
"""
PRESS_THE_BUTTON_OF_THE_README = """
import re
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from orders.models import Order
form = render_to_string("form.html", {"order": Order.objects.get()}, RequestFactory().get("/"))
(action,) = re.findall('action="(.*?)"', form)
answer = Client().post(action, headers={"host": "127.0.0.1:8000"})
print(action, answer.status_code, answer.url)
"""
COME_BACK = """
from django.test import Client
from django_flowlix.models import Payment
Payment.objects.update(last_synced_at=None)  # the customer takes longer than the two seconds between looks
payment = Payment.objects.get()
answer = Client().get(f"/flowlix/return/{payment.return_token}/", follow=True, headers={"host": "127.0.0.1:8000"})
print(answer.content.decode())
"""
IS_PAID = "from orders.models import Order; print(Order.objects.get().paid_at is not None)"


class Project:
    """The reader's directory and environment."""

    def __init__(self, directory: Path, emulator: EmulatorServer) -> None:
        self.directory = directory
        exports = re.findall(r"export (\w+)=(\S+)", TUTORIAL)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("FLOWLIX_", "DJANGO_"))}
        self.environment = kept | dict(exports) | {"FLOWLIX_API_URL": emulator.url, "PYTHONPATH": str(ROOT)}
        self.environment["PYTHONWARNINGS"] = "error"

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        self.write(name, (self.directory / name).read_text(encoding="utf-8") + text)

    def shell(self, code: str) -> str:
        return self.manage("shell", "-v", "0", "-c", code).strip()


@pytest.fixture
def project(tmp_path: Path, emulator_server: EmulatorServer) -> Project:
    emulator_server.reset()
    project = Project(tmp_path, emulator_server)
    project.run("-m", "django", "startproject", "mysite", ".")
    project.manage("startapp", "orders")
    for name, is_appended, text in FILES:
        (project.append if is_appended else project.write)(name, text)
    return project


def test_the_tutorial_leads_to_a_paid_order(project: Project, emulator_server: EmulatorServer) -> None:
    commands = "".join(COMMANDS)
    for step in ("makemigrations orders", "migrate", "check --fail-level WARNING"):
        assert f"manage.py {step.removesuffix(' --fail-level WARNING')}\n" in commands
        project.manage(*step.split())
    (order_code,) = re.findall(r"manage\.py shell -v 0 -c '\n(.*?)'\n", commands, re.DOTALL)
    assert project.shell(order_code).startswith("http://127.0.0.1:8000/orders/")

    status, page_url = project.shell(PRESS_THE_BUTTON).split()
    assert status == "302"
    assert page_url.startswith(emulator_server.url)
    (payment,) = emulator_server.payments()
    assert project.shell(IS_PAID) == "False"
    emulator_server.pay(payment.id)
    assert "Thank you, your payment has arrived" in project.shell(COME_BACK)
    assert project.shell(IS_PAID) == "True"


def test_the_customer_of_the_tutorial_never_returns(project: Project, emulator_server: EmulatorServer) -> None:
    project.manage("makemigrations", "orders")
    project.manage("migrate")
    (order_code,) = re.findall(r"manage\.py shell -v 0 -c '\n(.*?)'\n", "".join(COMMANDS), re.DOTALL)
    project.shell(order_code)
    project.shell(PRESS_THE_BUTTON)
    (payment,) = emulator_server.payments()
    emulator_server.pay(payment.id)
    project.shell(
        "from django.utils import timezone; from django_flowlix.models import Payment;"
        "Payment.objects.update(next_sync_at=timezone.now())"
    )
    assert "1 changed" in project.manage("flowlix_sync")
    assert project.shell(IS_PAID) == "True"


@pytest.fixture
def readers_project(tmp_path: Path, emulator_server: EmulatorServer) -> Project:
    """A project with the tutorial's order model, as the README expects it, and the README's blocks pasted into it."""
    emulator_server.reset()
    project = Project(tmp_path, emulator_server)
    project.run("-m", "django", "startproject", "mysite", ".")
    project.manage("startapp", "orders")
    (model,) = (text for name, _, text in FILES if name == "orders/models.py")
    settings, views, urls, receivers, apps = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (form,) = re.findall(r"```html\+django\n(.*?)```", README, re.DOTALL)
    project.append("mysite/settings.py", f'INSTALLED_APPS += ["orders"]\n\n{settings}')
    project.append("mysite/urls.py", urls)
    files = {"models.py": model, "views.py": views, "receivers.py": receivers, "apps.py": apps}
    for name, text in {**files, "templates/form.html": form}.items():
        project.write(f"orders/{name}", text)
    return project


def test_the_readme_pasted_into_a_project_leads_to_a_paid_order(
    readers_project: Project, emulator_server: EmulatorServer
) -> None:
    project = readers_project
    project.manage("makemigrations", "orders")
    project.manage("migrate")
    assert project.manage("check", "--fail-level", "WARNING") == "System check identified no issues (0 silenced).\n"
    (order_code,) = re.findall(r"manage\.py shell -v 0 -c '\n(.*?)'\n", "".join(COMMANDS), re.DOTALL)
    project.shell(order_code)

    action, status, page_url = project.shell(PRESS_THE_BUTTON_OF_THE_README).split()
    assert action.startswith("/orders/")
    assert status == "302"
    assert page_url.startswith(emulator_server.url)
    (payment,) = emulator_server.payments()
    emulator_server.pay(payment.id)
    assert "Thank you, your payment has arrived" in project.shell(COME_BACK)
    assert project.shell(IS_PAID) == "True"


def test_readme_and_tutorial_say_the_same() -> None:
    told = {line.strip() for _, _, text in FILES for line in text.splitlines()}
    told |= {"urlpatterns += [", "from orders.views import PayOrder"}  # the tutorial has one more page
    blocks = re.findall(r"```(?:python|html\+django)\n(.*?)```", README, re.DOTALL)
    assert [line for block in blocks for line in block.splitlines() if line.strip() not in told] == []
    exports = re.findall(r"export (\w+)=(\S+)", README)
    assert len(exports) == 3
    assert [export for export in exports if "export {}={}\n".format(*export) not in TUTORIAL] == []
