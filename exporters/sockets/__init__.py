"""The only code that talks to devices; errors of the system become TargetError here."""
