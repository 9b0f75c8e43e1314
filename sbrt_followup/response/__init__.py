"""One MRI's reading, and the course of readings: from measurements to a state, its reasons and its dates."""
