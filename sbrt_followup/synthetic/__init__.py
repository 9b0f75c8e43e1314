"""Cohorts drawn from a rule document, labelled synthetic."""
