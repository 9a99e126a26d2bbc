"""One module per content of the API; each handler takes a Call and gives a Reply."""
