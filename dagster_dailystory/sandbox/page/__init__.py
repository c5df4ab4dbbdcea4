"""The web page of the sandbox: its contacts, requests and alerts, as HTML that needs no script."""
