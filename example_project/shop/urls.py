"""The shop's addresses."""

from django.urls import path

from . import views

app_name = "shop"

urlpatterns = [
    path("", views.ProductList.as_view(), name="products"),
    path("products/<slug:slug>/", views.ProductPage.as_view(), name="product"),
    path("basket/", views.BasketPage.as_view(), name="basket"),
    path("basket/<slug:slug>/add/", views.AddToBasket.as_view(), name="add"),
    path("basket/<slug:slug>/quantity/", views.SetQuantity.as_view(), name="quantity"),
    path("checkout/", views.Checkout.as_view(), name="checkout"),
    path("orders/<uuid:public_id>/", views.OrderPage.as_view(), name="order"),
    path("orders/<uuid:public_id>/pay/", views.PayOrder.as_view(), name="pay"),
    path("orders/<uuid:public_id>/receipt/", views.Receipt.as_view(), name="receipt"),
    path("orders/<uuid:public_id>/not-paid/", views.NotPaid.as_view(), name="not-paid"),
]
