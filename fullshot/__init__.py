"""From a fashion shop's pages to a garment detector, an embedder and a look-alike search."""

__version__ = "0.1.0"
