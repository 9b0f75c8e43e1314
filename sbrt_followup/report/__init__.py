"""Drawing and printing; no decisions, no arithmetic."""
