"""SNGAN, SAGAN and BigGAN: residual networks with spectral norm, attention and class conditions."""
