"""The formats of the API: parameters in, data in, tables and rows out."""
