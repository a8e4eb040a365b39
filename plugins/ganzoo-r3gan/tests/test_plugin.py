import ganzoo

test_plugin = ganzoo.testing.checks("ganzoo-r3gan")
