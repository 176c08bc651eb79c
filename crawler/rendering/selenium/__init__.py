"""Pages rendered by Selenium."""
