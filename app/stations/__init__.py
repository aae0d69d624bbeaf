"""Check stations: inspectors, scans and temperatures."""
