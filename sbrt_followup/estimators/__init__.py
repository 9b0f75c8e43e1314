"""Estimators on counts and intervals: numpy only, no table, no file, no text."""
