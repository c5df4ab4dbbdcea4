"""The results of a send, and what is written with them."""
