"""Public building blocks of networks, from torch alone.

Whole architectures are plugins; what ten of them would copy stands here once.
"""
