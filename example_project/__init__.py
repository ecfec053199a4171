"""A small stationery shop that takes payments with django-flowlix: what a merchant writes, and nothing else."""
