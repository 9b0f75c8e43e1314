"""Hypothesis without wall-clock limits: a busy machine must not turn a true property red."""

from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
