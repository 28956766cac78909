"""Option tables: one row gives parser, --help, sample file and reference page of an option."""
