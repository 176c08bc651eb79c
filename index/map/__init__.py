"""A map of the catalog: its pictures in two dimensions, look-alikes side by side, on a page that opens offline."""
