"""Plans compared and risk models validated, as tables, figures, texts and JSON."""
