"""How good samples are, measured against real ones under a stated protocol."""
