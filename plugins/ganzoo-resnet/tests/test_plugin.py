import ganzoo

test_plugin = ganzoo.testing.checks("ganzoo-resnet")
