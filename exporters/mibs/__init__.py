"""MIB files of users: compiling, caching, and the commands that show what is in them."""
