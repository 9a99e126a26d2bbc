"""One module for each group of forms: what a site would type into them."""
