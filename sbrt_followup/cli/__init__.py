"""Commands: options, one call, a renderer, an exit code; the only place that catches errors."""
