// cdefs
