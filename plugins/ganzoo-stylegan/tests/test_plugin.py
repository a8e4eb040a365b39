import ganzoo

NARROW = {"width": 8, "max_width": 16, "generator": {"latent_size": 16, "w_size": 16, "mapping_layers": 2}}

test_plugin = ganzoo.testing.checks("ganzoo-stylegan", options={"stylegan2": NARROW, "stylegan3": NARROW})
