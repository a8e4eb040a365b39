"""R3GAN: residual networks without normalisation."""
