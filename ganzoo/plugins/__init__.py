"""Plugins: found over entry points, installed, and scaffolded.

A plugin's networks and losses are imported when they are used, not before; nothing here imports torch.
"""
