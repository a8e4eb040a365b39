import ganzoo

SMALL = {
    "fastgan": {"width": 4, "max_width": 16, "latent_size": 16},
    "projected": {"generator": {"width": 4, "max_width": 16}, "discriminator": {"width": 4, "size": 32}},
    "progressive": {"width": 4, "max_width": 8, "latent_size": 16},
}

test_plugin = ganzoo.testing.checks("ganzoo-fastgan", options=SMALL)
