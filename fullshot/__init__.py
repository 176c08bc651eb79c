"""The spine of fullshot: what every stage shares, and nothing that belongs to one stage."""

__version__ = "0.1.0"
