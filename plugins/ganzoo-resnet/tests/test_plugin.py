import ganzoo

WIDTHS = {"width": 4, "max_width": 8}
SMALL = {"sngan": WIDTHS, "sagan": WIDTHS | {"attention": 8}, "biggan": WIDTHS | {"attention": 8}}

# Small, as a BigGAN has many layers, each with a spectral norm; `ganzoo check ganzoo-resnet` takes the recipes' sizes.
test_plugin = ganzoo.testing.checks("ganzoo-resnet", image=(3, 16, 16), options=SMALL)
