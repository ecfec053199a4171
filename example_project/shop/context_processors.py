"""What every page of the shop shows: how many things are in the basket."""

from django.http import HttpRequest

from .basket import Basket


def basket(request: HttpRequest) -> dict[str, object]:
    return {"basket_count": Basket(request.session).count}
