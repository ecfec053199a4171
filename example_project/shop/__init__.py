"""The shop itself: products, basket, checkout, orders."""
