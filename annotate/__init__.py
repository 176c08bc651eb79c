"""Boxes: drawn by people in Label Studio, or brought along in a file of a common format."""
