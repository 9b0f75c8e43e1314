"""Readings as figures and cards."""
