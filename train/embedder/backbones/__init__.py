"""The networks of the house that turn crops into features; see :class:`fullshot.core.interfaces.Backbone`."""
