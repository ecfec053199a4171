"""Products and orders; prices are in euros, and an order keeps the prices of the day it was made."""

from __future__ import annotations

import secrets
import uuid
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_flowlix.api import Customer, Money

from .countries import DELIVERY_COUNTRIES

CURRENCY = "EUR"

# Without 0/O and 1/I/L: a customer reads the reference over the telephone.
_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_reference() -> str:
    """Return an order reference such as `M-7KQ2XW9PDA` (49 random bits)."""
    return "M-" + "".join(secrets.choice(_REFERENCE_ALPHABET) for _ in range(10))


class Product(models.Model):
    """Something on the shelf; `picture` is a file name below `static/shop/products/`."""

    slug = models.SlugField(_("slug"), max_length=60, db_index=False)
    name = models.CharField(_("name"), max_length=80)
    summary = models.CharField(_("summary"), max_length=120)
    description = models.TextField(_("description"))
    price = models.DecimalField(
        _("price in EUR"), max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    picture = models.CharField(_("picture"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [models.UniqueConstraint(fields=["slug"], name="shop_product_slug")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("shop:product", args=[self.slug])

    @property
    def picture_path(self) -> str:
        return f"shop/products/{self.picture}"


class Order(models.Model):
    """What a customer wants to buy, and where it goes.

    `paid_at` and `amount_refunded` are written by the receivers of the payment alone.
    """

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, editable=False)
    reference = models.CharField(_("reference"), max_length=16, default=new_reference, editable=False)
    first_name = models.CharField(_("first name"), max_length=60)
    last_name = models.CharField(_("last name"), max_length=60)
    email = models.EmailField(_("e-mail"))
    phone = models.CharField(_("phone"), max_length=20)
    address = models.CharField(_("street and number"), max_length=120)
    city = models.CharField(_("city"), max_length=80)
    zip = models.CharField(_("postcode"), max_length=16)
    country = models.CharField(_("country"), max_length=2)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True, editable=False)
    amount_refunded = models.DecimalField(
        _("refunded in EUR"), max_digits=10, decimal_places=2, default=Decimal("0.00"), editable=False
    )

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="shop_order_public_id"),
            models.UniqueConstraint(fields=["reference"], name="shop_order_reference"),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("shop:order", args=[self.public_id])

    @property
    def country_name(self) -> str:
        return str(dict(DELIVERY_COUNTRIES).get(self.country, self.country))

    @property
    def total(self) -> Decimal:
        """The sum of the lines in euros."""
        return sum((line.total for line in self.lines.all()), Decimal("0.00"))

    @property
    def amount(self) -> Money:
        """The same sum as the gateway wants it."""
        return Money.from_major(self.total, CURRENCY)

    @property
    def customer(self) -> Customer:
        return Customer(
            email=self.email,
            first_name=self.first_name,
            last_name=self.last_name,
            country=self.country,
            phone=self.phone,
            address=self.address,
            city=self.city,
            zip=self.zip,
        )

    def mark_paid(self) -> bool:
        """Book the order as paid and say whether that was news; a second call changes nothing."""
        unpaid = Order.objects.filter(pk=self.pk, paid_at__isnull=True)
        return bool(unpaid.update(paid_at=timezone.now()))

    def note_refunded(self, total: Decimal) -> bool:
        """Book how much has been given back in all and say whether that was news.

        The sum only grows: two refunds may be told at the same time, in any order.
        """
        less = Order.objects.filter(pk=self.pk, amount_refunded__lt=total)
        return bool(less.update(amount_refunded=total))


class OrderLine(models.Model):
    """One product of an order, with the name and price it had then."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", verbose_name=_("order"))
    product = models.ForeignKey(
        Product, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("product")
    )
    name = models.CharField(_("name"), max_length=80)
    unit_price = models.DecimalField(_("unit price in EUR"), max_digits=10, decimal_places=2)
    quantity = models.PositiveSmallIntegerField(_("quantity"))

    class Meta:
        ordering = ["pk"]
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="shop_line_quantity_from_1"),
            models.CheckConstraint(condition=models.Q(unit_price__gt=0), name="shop_line_price_above_0"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity
