"""Pictures for people: grids of images, scattered points, and how many of either go into one.

What is drawn comes from elsewhere; nothing here samples or trains.
"""
