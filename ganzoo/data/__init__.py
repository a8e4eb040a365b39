"""What a training learns from: data sets by name, folders of images, iterables of batches.

What measures samples against these data is in `ganzoo.evaluation`.
"""
