"""Augmentation of what the discriminator sees, so that few pictures go further."""
