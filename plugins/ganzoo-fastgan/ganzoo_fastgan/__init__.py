"""FastGAN: few pictures, quick training."""
