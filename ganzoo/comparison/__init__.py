"""Several runs or models beside each other: sweep, compare, and the tables and pages that come of it."""
