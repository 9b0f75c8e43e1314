"""Findings, cases, differences and pages of rule documents, for people and machines."""
