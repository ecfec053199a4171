"""The demo: emulator, shop and background check as three processes, and a customer made of code for `--smoke`."""
