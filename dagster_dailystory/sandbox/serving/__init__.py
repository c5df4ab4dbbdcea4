"""The HTTP side of the sandbox: which requests are let in, how they are answered, and the server."""
