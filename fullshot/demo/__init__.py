"""The built-in shop, and the whole way against it."""
