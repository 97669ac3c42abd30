// format_spec
