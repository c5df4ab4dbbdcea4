"""The commands. Each is a short function under `sync_command`, and is listed in `command_line.COMMANDS`."""
