"""Who brings what: finding plugins over entry points, installing them, and starting a new one.

No network or loss is imported here before somebody uses it; no torch.
"""
