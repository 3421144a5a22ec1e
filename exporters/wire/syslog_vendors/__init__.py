"""Whose messages are whose: one module for each family of forms.

Each has ``recognise(shape)``, which gives a ``Signature`` or None.
``exporters.wire.syslog_classes`` asks them in its order, once for each shape.
"""
