"""StyleGAN2: style-based generator, residual discriminator, lazy penalties."""
