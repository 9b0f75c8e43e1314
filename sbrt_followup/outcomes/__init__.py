"""Groups of patients: endpoints, survival, incidence, interval censoring, simulation."""
