"""Everything a person has to look at: the dictionary's rules, the cross-checks, and how reports may list them."""
