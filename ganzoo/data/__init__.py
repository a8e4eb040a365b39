"""Training data: named data sets, folders of images, iterables of batches.

The metrics that compare samples with these data are in `ganzoo.evaluation`.
"""
