"""The web page of the sandbox: its contacts and requests, as HTML that needs no script."""
