"""The kinds of samples that ganzoo itself brings, each registered as a plugin's own is, and the search for one."""
