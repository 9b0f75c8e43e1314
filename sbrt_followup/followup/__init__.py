"""What the rules are for: facts, risk, schedule, pseudo-progression, response, worklist."""
