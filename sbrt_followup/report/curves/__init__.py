"""Curves as text, tables, JSON, figures and a methods paragraph."""
