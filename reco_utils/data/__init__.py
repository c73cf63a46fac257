"""Tables in, Dataset out: foreign column names, file formats, the disk and the network live only here."""
