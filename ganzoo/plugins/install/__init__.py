"""Installing and removing plugins with pip or uv, so that nothing comes that was not asked for.

Finding what is installed already is the catalog's work.
"""
