"""Stylizer."""
