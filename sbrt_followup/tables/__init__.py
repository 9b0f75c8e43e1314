"""Tables that users bring: their columns, how they are read, how their cells become values."""
