import ganzoo

test_plugin = ganzoo.testing.checks("DISTRIBUTION")
