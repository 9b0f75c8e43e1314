"""Visits as timelines, calendars and record-system bundles."""
