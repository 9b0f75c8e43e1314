"""MRI follow-up after spine SBRT: rules in YAML, schedules, response, cohort curves and audits."""

__version__ = "0.1.0"
