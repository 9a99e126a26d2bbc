"""Documents of a trial that are made from its instruments: the annotated case report form and the SPIRIT schedule."""
