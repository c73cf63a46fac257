"""Dataset in, scores out: the only room that learns; it never filters, cuts lists or maps ids."""
