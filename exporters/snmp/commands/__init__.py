"""The commands that talk to one device: ``get`` and ``walk``, and what ``record`` shares."""
