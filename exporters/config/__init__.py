"""YAML to frozen models, errors with file and line, secrets, reload, the device inventory."""
