"""Installing and removing plugins with pip or uv, so that nothing is replaced that was not named.

Finding the plugins that are installed already is the catalog's work.
"""
